import { expect, it } from 'vitest'
import { successiveTerms } from './terms.ts'

/** Terms that take as long to end as the test lets them. */
function office() {
  const told: string[] = []
  const endings: PromiseWithResolvers<void>[] = []
  const terms = successiveTerms(async () => {
    const nth = endings.push(Promise.withResolvers<void>())
    told.push(`${nth} begins`)
    return {
      async [Symbol.asyncDispose]() {
        told.push(`${nth} is to end`)
        await endings[nth - 1]?.promise
        told.push(`${nth} ended`)
      },
    }
  })
  return { terms, told, endings }
}

it('a term that is regained at once begins when the one before has ended', async () => {
  const { terms, told, endings } = office()
  await terms.begin()
  const ending = terms.end() // the node key was lost …
  const regained = terms.begin() // … and registered again
  await new Promise((resolve) => setImmediate(resolve))
  expect(told).toEqual(['1 begins', '1 is to end'])
  endings[0]?.resolve()
  await Promise.all([ending, regained])
  expect(told).toEqual(['1 begins', '1 is to end', '1 ended', '2 begins'])
})

it('a term that ends before it has begun is ended, once', async () => {
  const { terms, told, endings } = office()
  const begun = terms.begin()
  const ending = terms.end()
  await begun
  endings[0]?.resolve()
  await Promise.all([ending, terms.end()])
  expect(told).toEqual(['1 begins', '1 is to end', '1 ended'])
})

it('a term that could not end lets none begin after it', async () => {
  const { terms, endings } = office()
  await terms.begin()
  endings[0]?.reject(new Error('its last word was not stored'))
  await expect(terms.end()).rejects.toThrow('not stored')
  await expect(terms.begin()).rejects.toThrow('not stored')
})
