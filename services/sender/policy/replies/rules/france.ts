// biome-ignore-all format: a row a line, so that the table reads as one
import { HOUR_MS, rowsOf, times } from '../rule.ts'
import { DISABLED, FULL, OUR_FAULT, SPAM, UNAUTHENTICATED, UNKNOWN, crowd, disliked, listed } from '../then.ts'

/** Orange answers in two languages with an OFR number, La Poste alike with LPN; Free counts per IP and blocks for at most 24 h. */
export const FRANCE = [
  ...rowsOf(
    ['orange'],
    [
      { id: 'orange/connections', seen: '421 mwinf5c04 ME Trop de connexions, veuillez verifier votre configuration. Too many connections, slow down. OFR004_104 [104]', when: /trop de connexions|ofr004_104/i, then: crowd({ restMs: HOUR_MS, threshold: times(2).within(HOUR_MS) }) },
      { id: 'orange/refused', seen: '421 mwinf5c27 ME Service refuse. Veuillez essayer plus tard. Service refused, please try later. OFR_999 [999]', when: /service refuse/i, then: disliked({ restMs: HOUR_MS, threshold: times(2).within(HOUR_MS) }) },
      { id: 'orange/blocked', seen: '550 mwinf5c11 ME Adresse IP source bloquee pour incident de spam. Client host blocked for spamming issues. OFR006_102 Ref http://csi.cloudmark.com/reset-request/?ip=203.0.113.7 [102]', when: /client host blocked for spamming issues/i, then: listed({ restMs: 2 * HOUR_MS }) },
      { id: 'orange/unknown', seen: '550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. OFR204_416 [416]', when: /destinataire invalide/i, then: UNKNOWN },
      { id: 'orange/full', seen: '552 5.1.1 Boite du destinataire pleine. Recipient overquota. OFR201_417 [417]', when: /boite du destinataire pleine/i, then: FULL },
      { id: 'orange/archived', seen: '550 5.1.1 Boite du destinataire archivee. Archived recipient. OFR204_418 [418]', when: /boite du destinataire archivee/i, then: DISABLED },
      { id: 'orange/rejected', seen: '550 5.7.1 Mail rejete. Mail rejected. OFR_506 [506]', when: /mail rejete/i, then: SPAM },
      { id: 'orange/sender', stages: ['mail', 'rcpt', 'data', 'dot'], seen: '501 5.1.0 Emetteur invalide. Invalid Sender. OFR_405', when: /emetteur invalide/i, then: UNAUTHENTICATED },
    ],
  ),
  ...rowsOf(
    ['laposte'],
    [
      // La Poste calls the sender back; what it cannot answer is our return path.
      { id: 'laposte/sender', stages: ['mail', 'rcpt', 'data', 'dot'], seen: '550 5.7.1 Service refuse. Expediteur ne peut recevoir de message. LPN007_405', when: /lpn007_405/i, then: OUR_FAULT },
      { id: 'laposte/refused', seen: '550 5.7.1 Service refuse. Veuillez essayer plus tard. LPN027_503', when: /service refuse|lpn027_503/i, then: disliked({ restMs: 2 * HOUR_MS }) },
      { id: 'laposte/refused-deferred', seen: '421 4.7.0 Service refuse. Veuillez essayer plus tard. LPN007_510', when: /service refuse/i, then: disliked({ restMs: HOUR_MS, threshold: times(2).within(HOUR_MS) }) },
      { id: 'laposte/connections', seen: '421 4.7.0 Trop de connexions. Veuillez essayer plus tard. LPN004_510', when: /trop de connexions/i, then: crowd({ restMs: HOUR_MS, threshold: times(2).within(HOUR_MS) }) },
      { id: 'laposte/unknown', seen: '550 5.1.1 Adresse d au moins un destinataire invalide. Invalid recipient. LPN416', when: /destinataire invalide/i, then: UNKNOWN },
    ],
  ),
  ...rowsOf(
    ['free'],
    [
      { id: 'free/errors', seen: '451 too many errors from your ip (203.0.113.7), please visit http://postmaster.free.fr/', when: /too many errors from your ip/i, then: disliked({ restMs: 4 * HOUR_MS }) },
      { id: 'free/spams', seen: '550 Too many spams from your IP (203.0.113.7), please visit http://postmaster.free.fr/', when: /too many spams from your ip/i, then: disliked({ restMs: 24 * HOUR_MS }) },
      { id: 'free/inactive', seen: '550 5.2.1 This mailbox has been blocked due to inactivity', when: /blocked due to inactivity/i, then: DISABLED },
      { id: 'free/spam', seen: '550 spam detected', when: /^spam detected/i, then: SPAM },
    ],
  ),
  ...rowsOf(
    ['sfr'],
    [
      { id: 'sfr/connections', seen: '421 4.7.0 msfrf2204.sfr.fr Trop de connexions depuis votre adresse IP', when: /trop de connexions/i, then: crowd({ restMs: HOUR_MS, threshold: times(2).within(HOUR_MS) }) },
      { id: 'sfr/spam', seen: '550 5.7.1 spam detecte, message refuse', when: /spam detecte/i, then: SPAM },
    ],
  ),
]
