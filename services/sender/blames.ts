import type { EpochMs } from '../../protocol/words.ts'
import { type Finding, foundWithoutReply } from './policy/attempt.ts'
import { DomainRests } from './policy/domain-rests.ts'
import { LostDots } from './policy/lost-dots.ts'
import { normaliseReply } from './policy/replies/normalise.ts'
import { type TenAlike, tenAlike } from './policy/replies/ten-alike.ts'
import { domainOf } from './works.ts'

/**
 * What a finding means beyond its recipient, in this sender: runs of the same refusal (ten are the site's matter), dots that nobody answers, recipient
 * domains that rest.
 * Each sender counts for itself: the verdict must stand before the outcome is written, and a word from the router would cost every refusal a round trip.
 */
export class Blames {
  readonly domains = new DomainRests()
  readonly #dots = new LostDots()
  #alike: TenAlike = new Map()

  /** What a recipient comes to whose domain rests: asked nothing, charged nothing, told so that people see why it waits. */
  rests(rcpt: string, now: EpochMs): Finding | null {
    const domain = domainOf(rcpt)
    const until = this.domains.until(domain, now)
    return until === null ? null : { ...foundWithoutReply('deferred', 'resting', 'domain', `${domain} rests`), retryAfterMs: until - now }
  }

  /** The finding as it stands after all that was heard before. */
  weigh(finding: Finding, { site, rcpt, now }: { readonly site: string; readonly rcpt: string; readonly now: EpochMs }): Finding {
    if (finding.stage === null) return finding // ours or DNS's: the site said nothing
    const { outcome, class: replyClass, reply } = finding
    if (replyClass === 'lost-dot') return this.#dots.unanswered(site) ? forgetful(finding) : finding
    if (finding.stage === 'dot') this.#dots.answered(site)
    const normalised = outcome === 'delivered' ? null : reply && `${reply.code} ${normaliseReply(reply.text)}`
    const alike = tenAlike(this.#alike, { site, rcpt, normalised, outcome, class: replyClass })
    this.#alike = alike.state
    const domain = domainOf(rcpt)
    if (outcome === 'delivered') this.domains.delivered(domain, now)
    // What rests a source, the site or our domain already needs no second reason.
    if (alike.siteMatter && !finding.stops && finding.rests !== 'sender') return siteMatter(finding)
    if (finding.rests === 'domain') this.domains.blamed(domain, finding.restMs, now)
    return finding
  }
}

/** Too many dots went unanswered to believe that the mails arrived (delivery.md §4): the site rests, and they are sent again. */
function forgetful({ unconfirmed: _, ...finding }: Finding): Finding {
  return { ...finding, outcome: 'deferred', blames: 'site', mayBeDuplicate: true, stops: true, whole: true, rests: null }
}

function siteMatter(finding: Finding): Finding {
  return {
    ...finding,
    outcome: 'deferred',
    class: 'site-busy',
    blames: 'site',
    restMs: null,
    retryAfterMs: null,
    stops: true,
    whole: true,
    rests: null,
    suppress: false,
    rule: null,
  }
}
