/** Which IPs can be used: by their mode, and by senders whose machine has them. */
import { decode } from '../../../protocol/codec.ts'
import type { FleetIp } from '../../../protocol/fleet.ts'
import type { IpReputation } from '../../../protocol/messages/ops.ts'
import type { SenderHere } from '../../../protocol/messages/permission.ts'
import { subject, SUBJECTS } from '../../../protocol/subjects.ts'
import type { Bus } from '../../../services/runtime/bus.ts'
import { ask } from '../ask.ts'
import { count, counted, until } from '../format.ts'
import { bad, type Diagnosis, firstOf, good, unknown, warning } from './diagnosis.ts'

/** Senders say that they are there every 500 ms. */
const LISTEN_MS = 1_200

export async function lookAtIps(bus: Bus, rows: readonly FleetIp[], now: number): Promise<Diagnosis[]> {
  const heard = hearSenders(bus)
  const reputation = await ask<IpReputation>(bus, { subject: SUBJECTS.ipReputation.on, who: 'ip-manager', patienceMs: 0 })
  return judgeIps(reputation, rows, await heard, now)
}

/** By sender: the addresses it can send from. */
async function hearSenders(bus: Bus): Promise<ReadonlyMap<string, readonly string[]>> {
  const senders = new Map<string, readonly string[]>()
  using _ = bus.hear(subject('senderHere', {}), ({ body }) => {
    const { sender, ips } = decode<SenderHere>(body)
    senders.set(sender, ips)
  })
  await new Promise((resolve) => setTimeout(resolve, LISTEN_MS)) // as long as it takes for each to have spoken
  return senders
}

export function judgeIps({ ips }: IpReputation, rows: readonly FleetIp[], senders: ReadonlyMap<string, readonly string[]>, now: number): Diagnosis[] {
  if (ips.length === 0) return [bad('the fleet has no IP: nothing can be sent')]
  const stopped = ips.filter(({ mode }) => mode !== 'serving')
  const nowhere = senders.size === 0 ? [] : ips.filter(({ address }) => ![...senders.values()].some((own) => own.includes(address)))
  const troubled = ips.flatMap((ip) =>
    Object.entries(ip.isps).flatMap(([site, isp]) => (isp.mode === 'blocked' || isp.mode === 'cooling' ? [{ ip, site, isp }] : [])),
  )
  const blocked = troubled.filter(({ isp }) => isp.mode === 'blocked')
  const cooling = troubled.filter(({ isp }) => isp.mode === 'cooling')
  const usable = ips.filter((ip) => !stopped.includes(ip) && !nowhere.includes(ip)).length
  return [
    usable === 0 ? bad(`none of ${counted(ips.length, 'IP')} can be used`) : good(`${count(usable)} of ${counted(ips.length, 'IP')} can be used`),
    ...(senders.size === 0 ? [unknown('no sender said which IPs it can send from')] : []),
    ...stopped.map(({ address, mode, because, until: end }) =>
      warning(
        `${address} is ${mode}${because ? ` because ${because}` : ''}${end ? `, until ${until(end, now)}` : ''}; hato ip release ${address} lets it serve`,
      ),
    ),
    ...nowhere.map(({ address }) => bad(`${address} can be used by no sender: ${bindOf(address, rows)} is on no machine where one runs`)),
    ...(blocked.length > 0
      ? [
          bad(
            `${counted(blocked.length, 'IP is', 'IPs are')} blocked at a site and wait${blocked.length === 1 ? 's' : ''} for a person (hato ip ADDRESS shows the reason)`,
            firstOf(blocked, 10, troubleLine(now)),
          ),
        ]
      : []),
    ...(cooling.length > 0
      ? [
          warning(
            `${counted(cooling.length, 'IP rests', 'IPs rest')} at a site that blamed ${cooling.length === 1 ? 'it' : 'them'}`,
            firstOf(cooling, 10, troubleLine(now)),
          ),
        ]
      : []),
  ]
}

type Troubled = { readonly ip: { readonly address: string }; readonly site: string; readonly isp: IpReputation['ips'][number]['isps'][string] }

function troubleLine(now: number): (one: Troubled) => string {
  return ({ ip, site, isp }) => `${ip.address} at ${site}: ${isp.because ?? 'no reason given'}${isp.until ? `, until ${until(isp.until, now)}` : ''}`
}

function bindOf(address: string, rows: readonly FleetIp[]): string {
  const bind = rows.find((row) => row.address === address)?.bind
  return bind === undefined || bind === address ? 'it' : `its bind address ${bind}`
}
