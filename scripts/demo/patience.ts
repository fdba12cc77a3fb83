/**
 * Patience cut short: the simulated ISPs forgive after two or three seconds what a real one holds against an address for hours. The modes, rests and
 * retries are those of production; only their lengths are the demo's. Each row's `seen` is what a simulated ISP really says.
 */
import type { FleetIsp } from '../../protocol/fleet.ts'
import type { ReplyRule } from '../../protocol/replies/reply-rules.ts'

const REST = '2s'

type Row = Pick<ReplyRule, 'seen' | 'class' | 'blames'> & { readonly id: string; readonly text: string }

const ROWS: readonly Row[] = [
  {
    id: 'sessions',
    seen: '421 4.7.0 Too many SMTP sessions for this host, please try again later.',
    text: 'too many smtp sessions',
    class: 'too-many-connections',
    blames: 'site',
  },
  {
    id: 'connections',
    seen: '421 4.7.0 [TSS04] Too many concurrent connections from your host',
    text: 'too many (concurrent )?connections',
    class: 'too-many-connections',
    blames: 'site',
  },
  {
    id: 'connections-ms',
    seen: '451 4.7.652 The mail server has exceeded the maximum number of connections. (S3115)',
    text: 'maximum number of connections',
    class: 'too-many-connections',
    blames: 'site',
  },
  {
    id: 'session-fr',
    seen: '421 Trop de messages dans cette session. OFR004_105',
    text: 'messages dans cette session',
    class: 'session-end',
    blames: 'nobody',
  },
  {
    id: 'rate-gmail',
    seen: '421 4.7.28 Gmail has detected an unusual rate of mail originating from your IP address.',
    text: 'unusual rate of mail',
    class: 'rate',
    blames: 'source',
  },
  { id: 'rate', seen: '451 4.7.1 Too many messages in a short time, slow down.', text: 'too many messages in a short time', class: 'rate', blames: 'source' },
  {
    id: 'volume',
    seen: '421 4.7.0 [TSS04] Messages from your host temporarily deferred due to unexpected volume',
    text: 'unexpected volume',
    class: 'reputation',
    blames: 'source',
  },
  {
    id: 'blocked-ms',
    seen: "550 5.7.1 Unfortunately, messages from your host weren't sent. (S3150).",
    text: '\\(s3150\\)',
    class: 'reputation',
    blames: 'source',
  },
  {
    id: 'blocked',
    seen: '550 5.7.1 Your address is blocked, too many unknown recipients',
    text: 'your address is blocked',
    class: 'reputation',
    blames: 'source',
  },
  {
    id: 'unknowns',
    seen: '421 4.7.0 Service not available, too many unknown recipients from your address',
    text: 'too many unknown (recipients|users)',
    class: 'reputation',
    blames: 'source',
  },
  {
    id: 'greylist',
    seen: '450 4.2.0 Greylisted, see http://postgrey.schweikert.ch/help/. Please try again in 2 seconds',
    text: 'greylisted',
    class: 'greylisted',
    blames: 'nobody',
  },
]

/** `[[rule]]` */
export const DEMO_RULES: Record<string, unknown>[] = ROWS.map((row) => ({
  ...row,
  id: `demo/${row.id}`,
  outcome: 'deferred',
  ...(row.class === 'session-end' ? {} : { rest: REST }),
}))

/** `[retry]`: a full mailbox is asked four times within seconds and then bounces, which takes days in production; whoever rests is asked again at once. */
export const DEMO_RETRY = {
  first: '2s',
  tries: 4,
  refusals: 8, // box-16 refuses the first connect of each of our addresses; three in a row would be final
  site: { steps: [REST] },
  source: { steps: [REST] },
  host: { steps: [REST] },
}

/** `[[isp]]` */
export const DEMO_ISPS = ['google', 'yahoo', 'yahoo-jp', 'outlook', 'docomo', 'orange', 'tail'].map((name) => ({
  name,
  busy_rest: REST,
  source_rest: REST,
})) satisfies Partial<Record<keyof FleetIsp, unknown>>[]
