import { describe, expect, it } from 'vitest'
import { createControl } from './control.ts'

describe('control names', () => {
  it('need only one that resolves, asked in order', async () => {
    const asked: string[] = []
    const control = createControl(['a', 'b', 'c'], async (name) => {
      asked.push(name)
      return name === 'b'
    })
    expect(await control.isSane()).toBe(true)
    expect(asked).toEqual(['a', 'b'])
  })

  it('are not asked where there are none', async () => {
    expect(await createControl([], async () => false).isSane()).toBe(true)
  })

  it('are asked anew for whoever comes while a round is under way: its answer may be older than the NXDOMAIN in question', async () => {
    const answers: ((answer: boolean) => void)[] = []
    const control = createControl(['a'], () => new Promise<boolean>((resolve) => answers.push(resolve)))
    const [first, second, third] = [control.isSane(), control.isSane(), control.isSane()]
    answers[0]?.(true)
    expect(await first).toBe(true)
    await Promise.resolve()
    answers[1]?.(false)
    expect(await Promise.all([second, third])).toEqual([false, false])
    expect(answers).toHaveLength(2)
  })
})
