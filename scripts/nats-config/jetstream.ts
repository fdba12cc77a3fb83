/** JetStream's own subjects, by what a client wants of a stream (services/runtime/bus says nothing else). */

/** Read it, follow it, pull from it. */
export const readingOf = (stream: string): readonly string[] => [
  `$JS.API.STREAM.INFO.${stream}`,
  `$JS.API.STREAM.MSG.GET.${stream}`,
  `$JS.API.DIRECT.GET.${stream}`,
  `$JS.API.CONSUMER.CREATE.${stream}.>`,
  `$JS.API.CONSUMER.INFO.${stream}.*`,
  `$JS.API.CONSUMER.DELETE.${stream}.*`,
  `$JS.API.CONSUMER.MSG.NEXT.${stream}.*`,
  `$JS.ACK.${stream}.>`,
  `$JS.ACK.*.*.${stream}.>`, // the longer form, with domain and account
  `$JS.FC.${stream}.>`,
]

/** Look an object up and read it chunk by chunk. */
export const objectReadingOf = (stream: string): readonly string[] => [
  `$JS.API.STREAM.INFO.${stream}`,
  `$JS.API.STREAM.MSG.GET.${stream}`,
  `$JS.API.DIRECT.GET.${stream}`,
]

export const removingOf = (stream: string): readonly string[] => [`$JS.API.STREAM.MSG.DELETE.${stream}`, `$JS.API.STREAM.PURGE.${stream}`]

export const ACCOUNT_INFO = '$JS.API.INFO'

export const bucketStream = (bucket: string): string => `KV_${bucket}`
export const objectStream = (bucket: string): string => `OBJ_${bucket}`
