/** One term of the scheduler, in this process, so that it can be cut between any two of its steps; what it left half done the next one finishes. */
import { describe, expect, it } from 'vitest'
import { KEYS, OBJECT_BUCKET } from '../../protocol/buckets.ts'
import { decode, encode } from '../../protocol/codec.ts'
import type { CampaignEvent } from '../../protocol/messages/campaign.ts'
import { type Batch, batchSeqOf, type Order } from '../../protocol/messages/mail.ts'
import { STREAM } from '../../protocol/streams.ts'
import { subject, wildcard } from '../../protocol/subjects.ts'
import type { Bus } from '../../services/runtime/bus.ts'
import { Infrastructure } from '../../services/runtime/errors.ts'
import { openBucket } from '../../services/runtime/kv.ts'
import { openObjects } from '../../services/runtime/objects.ts'
import { bytes, gather, natsForFile, text, until, withFaults } from '../kit/bus.ts'
import { termForFile } from '../kit/scheduler-term.ts'

const here = natsForFile()
const { began, ended, notice, publish, ask, status, isIn, sent, held, recordOf, rewritten, delivered } = termForFile(here)

describe('a term of the scheduler', () => {
  it('finishes a campaign whose last outcome comes before the end of its list was told', async () => {
    const job = notice(2)
    const bus: Bus = withFaults(here.bus, {
      store: (async (on, body, options) => {
        if (on.startsWith('campaign.events.') && (JSON.parse(text(body)) as CampaignEvent).type === 'progress') {
          const [order] = await sent(job.id)
          if (order) await delivered(order)
          await until('all are counted', async () => (await status(job.id)).delivered === 2)
        }
        return here.bus.store(on, body, options)
      }) satisfies Bus['store'],
    })
    await began(bus)
    await publish(job)
    await isIn(job.id, 'finished')
  })

  it('cancels a campaign while its list is looked through, before anything of it was cut', async () => {
    const lines = Array.from({ length: 10_000 }, (_, at) => JSON.stringify({ address: `r${at}@gmail.com` }))
    await openObjects(here.bus, OBJECT_BUCKET).put('lists/acme/big.ndjson', [bytes(lines.join('\n'))])
    const job = notice(0, { recipients: undefined, recipientsObject: 'lists/acme/big.ndjson' })
    const { nuid } = (await openObjects(here.bus, OBJECT_BUCKET).head('lists/acme/big.ndjson')) ?? { nuid: '' }
    const [looking, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
    let looks = 0
    await began(
      withFaults(here.bus, {
        async *scan(stream, filter, options) {
          if (filter.endsWith(nuid) && ++looks === 2) {
            // the first look was intake's, at the list's format
            looking.resolve()
            await goOn.promise
          }
          yield* here.bus.scan(stream, filter, options)
        },
      }),
    )
    await publish(job)
    await looking.promise
    await ask('campaignControl', job.id, { action: 'cancel' })
    goOn.resolve()
    await isIn(job.id, 'cancelled')
    expect(await status(job.id)).toMatchObject({ waiting: 0 })
    expect(await gather(here.bus.scan(STREAM.mail, wildcard('batch', { tenant: 'acme', campaign: job.id })))).toEqual([])
  })

  it('cuts nothing of a campaign that was cancelled before its list was opened', async () => {
    const job = notice(3)
    const bus = withFaults(here.bus, {
      async store(on, body, options) {
        if (on === subject('campaignEvent', { tenant: 'acme', id: job.id }) && (JSON.parse(text(body)) as CampaignEvent).type === 'accepted') {
          await ask('campaignControl', job.id, { action: 'cancel' })
          await isIn(job.id, 'cancelled')
        }
        return here.bus.store(on, body, options)
      },
    })
    await began(bus)
    await publish(job)
    await until(
      'its job is acked',
      async () => (await gather(here.bus.scan(STREAM.events, subject('campaignEvent', { tenant: 'acme', id: job.id })))).length === 2,
    )
    const other = notice(1)
    await publish(other)
    await until('the next one is out', async () => (await sent(other.id)).length === 1)
    expect(await gather(here.bus.scan(STREAM.mail, wildcard('batch', { tenant: 'acme', campaign: job.id })))).toEqual([])
  })

  it('takes a campaign in whose record was stored without an answer', async () => {
    let lost = 0
    const job = notice(1)
    const bus: Bus = withFaults(here.bus, {
      store: (async (on, body, options) => {
        const answer = await here.bus.store(on, body, options)
        if (on === `$KV.campaigns.${KEYS.campaign('acme', job.id)}` && lost++ === 0) throw new Infrastructure('cut', 'the connection broke')
        return answer
      }) satisfies Bus['store'],
      // The job comes again, sooner than its ack_wait of a minute.
      pull: (async (spec, onMessage) =>
        here.bus.pull(spec, (delivery) => {
          onMessage(delivery)
          if (spec.stream === STREAM.jobs) setTimeout(() => onMessage(delivery), 300)
        })) satisfies Bus['pull'],
    })
    await began(bus)
    await publish(job)
    await until('its order is there', async () => (await sent(job.id)).length === 1)
    expect(await status(job.id)).toMatchObject({ recipients: 1, waiting: 1 })
  })

  it('lives through 12 s without NATS while it cuts and releases: every recipient in one batch, every batch under one order', async () => {
    const lines = Array.from({ length: 20_000 }, (_, at) => JSON.stringify({ address: `r${at}@gmail.com` }))
    await openObjects(here.bus, OBJECT_BUCKET).put('lists/acme/cut.ndjson', [bytes(lines.join('\n'))])
    const job = notice(0, { recipients: undefined, recipientsObject: 'lists/acme/cut.ndjson' })
    let heard = 0
    await began()
    await publish(job)
    await until('some are cut', async () => (await status(job.id)).recipients > 0)
    // A router that takes whatever comes, so that release goes on all the time.
    const router = setInterval(() => {
      const upTo = { urgent: 1e9, bulk: 1e9 }
      here.bus.say(
        subject('drain', { shard: 'google' }),
        encode({ shard: 'google', epoch: 1, upTo, sites: [{ site: 'google', urgent: 0, bulk: 0, perS: 500, resting: null }] }),
      )
    }, 50)
    try {
      await here.nats.kill()
      await new Promise((resolve) => setTimeout(resolve, 12_000)) // an outage has no event: longer than every wait inside
      await here.nats.start()
      await until('the whole list is cut', async () => (await status(job.id)).listRead === 20_000, 15_000)
      // What went first is the sample; the rest waits for its outcomes.
      await until('the sample is released', async () => (await sent(job.id)).length >= 4, 15_000)
      await new Promise((resolve) => setTimeout(resolve, 500)) // that nothing more comes has no event
      const sample = await sent(job.id)
      expect(sample.length).toBeLessThan(8)
      expect((await status(job.id)).waitingFor).toMatchObject([{ site: 'google', because: 'sample' }, { because: 'under-way' }])
      for (const held of sample) await delivered(held)
      heard = 100 * sample.length
      await until('all is released', async () => (await sent(job.id)).length >= 200, 15_000)
    } finally {
      clearInterval(router)
    }
    expect(await status(job.id)).toMatchObject({ recipients: 20_000, waiting: 20_000 - heard })
    const batches = await gather(here.bus.scan(STREAM.mail, wildcard('batch', { tenant: 'acme', campaign: job.id })))
    const addresses = batches.flatMap(({ body }) => decode<Batch>(body).recipients.map(({ address }) => address))
    expect(addresses.length).toBe(20_000)
    expect(new Set(addresses).size).toBe(20_000)
    const orders = (await sent(job.id)).map((held) => batchSeqOf(held))
    expect(orders.toSorted((a, b) => a - b)).toEqual(batches.map(({ seq }) => seq))
  })

  it('finishes a resume that ended in the middle: what was parked goes on, and nobody refuses its mail', async () => {
    await began()
    const job = notice(1, { sendAt: new Date(Date.now() + 3_600_000).toISOString() })
    await publish(job)
    await until('it is counted', async () => (await status(job.id)).recipients === 1)
    await ask('campaignControl', job.id, { action: 'pause' })
    expect(await held(job.id)).toBe(true)
    await ended()
    // It began to resume: the record is written, the held key still stands, the order is still parked.
    const now = Date.now()
    await rewritten(job.id, { state: 'running', before: 'running', startAt: now - 1_000, deadline: now + 3_600_000 })
    const { record } = await recordOf(job.id)
    const [batch] = await gather(here.bus.scan(STREAM.mail, wildcard('batch', { tenant: 'acme', campaign: job.id })))
    const seq = batch?.seq as number
    const where = { kind: 'notice', lane: record.lane, site: 'google', provider: 'google', pool: record.pool } as const
    const order: Order = {
      v: 1,
      tenant: 'acme',
      campaign: job.id,
      ...where,
      batch: seq,
      mask: new Uint8Array([1]),
      count: 1,
      attempt: 2,
      deadline: now + 3_600_000,
      parked: true,
    }
    const target = subject('due', { lane: record.lane })
    await here.bus.store(subject('laterRetry', { tenant: 'acme', campaign: job.id, batch: seq }), encode(order), { at: now + 3_000_000, target })
    await began()
    await until('the parked order goes on', async () => (await sent(job.id)).some(({ order: { attempt, parked } }) => attempt === 2 && parked === undefined))
    expect(await held(job.id)).toBe(false)
    expect((await recordOf(job.id)).record.before).toBeNull()
  })

  it('pauses a campaign at one site, over a restart, and finishes a resume there that ended in the middle', async () => {
    await began()
    const job = notice(1, { sendAt: new Date(Date.now() + 3_600_000).toISOString() })
    await publish(job)
    await until('it is counted', async () => (await status(job.id)).recipients === 1)
    expect(await ask('campaignControl', job.id, { action: 'cancel', site: 'google' })).toMatchObject({ error: { code: 'bad-request' } })
    expect(await ask('campaignControl', job.id, { action: 'pause', site: 'google' })).toEqual({ ok: true, state: 'scheduled' })
    const keyOf = async () => {
      const kept = await openBucket(here.bus, 'campaigns').get(KEYS.held('acme', job.id))
      return kept && decode(kept.value)
    }
    expect(await keyOf()).toEqual({ state: 'running', sites: ['google'] })
    await ended()
    const { record } = await recordOf(job.id)
    expect(record.heldSites).toMatchObject({ google: { because: 'paused', says: 'by hand' } })

    // Lifted, and then it died: an order of the site is still parked, another site's hold still stands.
    const google = record.heldSites?.google as NonNullable<typeof record.heldSites>[string]
    await rewritten(job.id, { state: 'running', startAt: 0, heldSites: { google: { ...google, resuming: true }, yahoo: google } })
    const [batch] = await gather(here.bus.scan(STREAM.mail, wildcard('batch', { tenant: 'acme', campaign: job.id })))
    const where = { kind: 'notice', lane: record.lane, site: 'google', provider: 'google', pool: record.pool } as const
    const parked = { v: 1, tenant: 'acme', campaign: job.id, ...where, batch: batch?.seq as number, mask: new Uint8Array([1]), count: 1, attempt: 2 } as const
    const order: Order = { ...parked, deadline: Date.now() + 3_600_000, parked: true }
    const target = subject('due', { lane: record.lane })
    await here.bus.store(subject('laterRetry', { tenant: 'acme', campaign: job.id, batch: batch?.seq as number }), encode(order), {
      at: Date.now() + 3_000_000,
      target,
    })
    await began()
    await until('the parked order goes on', async () =>
      (await sent(job.id)).some(({ order: { attempt, parked: still } }) => attempt === 2 && still === undefined),
    )
    await until('it is written down', async () => Object.keys((await recordOf(job.id)).record.heldSites ?? {}).join() === 'yahoo')
    expect(await keyOf()).toEqual({ state: 'running', sites: ['yahoo'] })
  })

  it('takes away held keys that no record speaks for', async () => {
    const job = notice(1)
    await openBucket(here.bus, 'campaigns').put(KEYS.held('acme', job.id), encode({ state: 'paused' }))
    await began()
    expect(await held(job.id)).toBe(false)
  })

  it('holds a paused campaign again when it is asked again', async () => {
    await began()
    const job = notice(1, { sendAt: new Date(Date.now() + 3_600_000).toISOString() })
    await publish(job)
    await until('it is counted', async () => (await status(job.id)).recipients === 1)
    await ask('campaignControl', job.id, { action: 'pause' })
    await openBucket(here.bus, 'campaigns').remove(KEYS.held('acme', job.id)) // as if the answer to the first put had never come
    expect(await ask('campaignControl', job.id, { action: 'pause' })).toEqual({ ok: true, state: 'paused' })
    expect(await held(job.id)).toBe(true)
  })

  it('tells the end of a campaign that its predecessor had ended and not told of, and clears it away', async () => {
    await began()
    const job = notice(1, { sendAt: new Date(Date.now() + 3_600_000).toISOString() })
    await publish(job)
    await until('it is counted', async () => (await status(job.id)).recipients === 1)
    await ended()
    const { record } = await recordOf(job.id)
    await rewritten(job.id, { state: 'finished', finishedAt: Date.now(), expansion: null })
    await began()
    const events = (await gather(here.bus.scan(STREAM.events, subject('campaignEvent', { tenant: 'acme', id: job.id })))).map(
      ({ body }) => JSON.parse(text(body)) as CampaignEvent,
    )
    expect(events.at(-1)?.type).toBe('finished')
    expect(await here.bus.readSeq(STREAM.jobs, record.job)).toBeNull()
    expect(await gather(here.bus.scan(STREAM.mail, wildcard('batch', { tenant: 'acme', campaign: job.id })))).toEqual([])
  })
})
