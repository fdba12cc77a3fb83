/** Faults planted into the world itself, to prove that the verdict would notice: a mail said to be taken and not kept,
 *  and a mail kept twice. */

export const PLANTS = ['lose-one', 'repeat-one'] as const
export type Plant = (typeof PLANTS)[number]

export type Planted = {
  /** how many copies of this recipient's mail go into the record; asked once per stored recipient */
  copiesOf(rcpt: string, messageId: string): 0 | 1 | 2
  done(): readonly { readonly plant: Plant; readonly rcpt: string; readonly messageId: string }[]
}

/** Each plant strikes the first recipient that comes along after the one before it. */
export function plantAll(plants: readonly Plant[]): Planted {
  const waiting = [...plants]
  const done: { plant: Plant; rcpt: string; messageId: string }[] = []
  return {
    copiesOf(rcpt, messageId) {
      const plant = waiting.shift()
      if (plant === undefined) return 1
      done.push({ plant, rcpt, messageId })
      return plant === 'lose-one' ? 0 : 2
    },
    done: () => done,
  }
}
