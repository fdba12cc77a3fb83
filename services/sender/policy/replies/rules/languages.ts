// biome-ignore-all format: a row a line, so that the table reads as one
import { HOUR_MS, MINUTE_MS, type Rule } from '../rule.ts'
import { CLOSED, DISABLED, FULL, GREY, SPAM, UNKNOWN, busy, crowd, listed, tooFast } from '../then.ts'

/** The commonest sentences in the languages of the providers we know (RFC 6531 servers answer in UTF-8; others leave the accents out). */
export const LANGUAGES: readonly Rule[] = [
  { id: 'ja/unknown', seen: '550 5.1.1 宛先のメールアドレスが存在しません', when: /(存在しない|存在しません|見つかりません|宛先不明|該当するユーザー?がいません)/, then: UNKNOWN },
  { id: 'ja/full', seen: '552 受信者のメールボックスの容量を超過しています', when: /(容量.{0,10}(超過|超え|不足|制限)|メールボックスがいっぱい)/, then: FULL },
  { id: 'ja/full-deferred', seen: '452 受信者のメールボックスの容量を超過しています', when: /(容量.{0,10}(超過|超え|不足|制限)|メールボックスがいっぱい)/, then: FULL },
  { id: 'ja/disabled', seen: '550 5.2.1 このアカウントは現在利用停止中です', when: /(利用停止|解約|休止|無効になって)/, then: DISABLED },
  { id: 'ja/own-filter', seen: '550 5.7.1 受信者の受信拒否設定により受信できません', when: /(受信拒否設定|指定受信|受信者.{0,10}拒否)/, then: CLOSED },
  { id: 'ja/spam', seen: '554 5.7.1 迷惑メールと判定されたため受信を拒否しました', when: /(迷惑メール|スパム).{0,10}(判定|検出|とみなされ)/, then: SPAM },
  { id: 'ja/blocked', seen: '550 5.7.1 送信元IPアドレス 203.0.113.7 からの接続は拒否されています', when: /(送信元|接続元).{0,40}(拒否|ブロック|規制)/, then: listed() },
  { id: 'ja/connections', seen: '421 4.7.0 同時接続数が上限を超えました', when: /同時接続/, then: crowd() },
  { id: 'ja/rate', seen: '450 4.7.1 短時間に大量のメールが送信されています', when: /(大量の?(メール|送信)|送信数.{0,10}(上限|制限))/, then: tooFast({ restMs: 30 * MINUTE_MS }) },
  { id: 'ja/later', seen: '451 4.7.1 しばらく時間をおいてから再度送信してください', when: /(しばらく|時間を(おいて|空けて)|後ほど)/, then: GREY },
  { id: 'ja/busy', seen: '421 4.3.2 ただいまサーバーが混み合っています', when: /(混み合って|混雑|高負荷|メンテナンス)/, then: busy({ restMs: 5 * MINUTE_MS }) },

  { id: 'fr/unknown', seen: '550 5.1.1 Cet utilisateur est inconnu', when: /(utilisateur|destinataire|adresse|boite|boîte).{0,40}(inconnue?|inexistante?|invalide|n'existe)/i, then: UNKNOWN },
  { id: 'fr/full', seen: '552 La boîte aux lettres du destinataire est pleine', when: /(boite|boîte).{0,60}pleine|quota.{0,30}(depasse|dépassé)/i, then: FULL },
  { id: 'fr/full-deferred', seen: '452 La boîte aux lettres du destinataire est pleine', when: /(boite|boîte).{0,60}pleine|quota.{0,30}(depasse|dépassé)/i, then: FULL },
  { id: 'fr/disabled', seen: '550 5.2.1 Ce compte est désactivé', when: /(compte|boite|boîte).{0,40}(desactiv|désactiv|suspendu|ferme|fermé)/i, then: DISABLED },
  { id: 'fr/connections', seen: '421 4.7.0 Trop de connexions simultanées', when: /trop de connexions/i, then: crowd() },
  { id: 'fr/rate', seen: '451 4.7.1 Trop de messages envoyés, veuillez ralentir', when: /trop (de|d')\s?(messages|mails|e-?mails|courriers)/i, then: tooFast({ restMs: 30 * MINUTE_MS }) },
  { id: 'fr/blocked', seen: '550 5.7.1 Votre adresse IP 203.0.113.7 est bloquée', when: /adresse ip.{0,60}(bloqu|refus|interdit|liste noire)/i, then: listed({ restMs: HOUR_MS }) },
  { id: 'fr/later', seen: '451 4.7.1 Service refusé, veuillez réessayer plus tard', when: /(reessayer|réessayer|essayer) (plus tard|ulterieurement|ultérieurement)/i, then: GREY },
  { id: 'fr/spam', seen: '554 5.7.1 Message refusé car considéré comme indésirable', when: /(indesirable|indésirable|pourriel)/i, then: SPAM },

  { id: 'de/unknown', seen: '550 5.1.1 Empfänger unbekannt', when: /(empf(ä|ae?)nger|benutzer|adresse|postfach|teilnehmer).{0,40}(unbekannt|existiert nicht|nicht gefunden|ung(ü|ue)ltig)/i, then: UNKNOWN },
  { id: 'de/full', seen: '552 Postfach des Empfängers ist voll', when: /(postfach|mailbox).{0,40}\bvoll\b/i, then: FULL },
  { id: 'de/full-deferred', seen: '452 Postfach des Empfängers ist voll', when: /(postfach|mailbox).{0,40}\bvoll\b/i, then: FULL },
  { id: 'es/unknown', seen: '550 5.1.1 El usuario no existe', when: /(usuario|destinatario|buz(ó|o)n|cuenta|direcci(ó|o)n).{0,40}(no existe|desconocid|no encontrad|inexistente)/i, then: UNKNOWN },
  { id: 'es/full', seen: '552 El buzón del destinatario está lleno', when: /buz(ó|o)n.{0,40}(lleno|sin espacio)/i, then: FULL },
  { id: 'it/unknown', seen: '550 5.1.1 Destinatario sconosciuto', when: /(destinatario|utente|indirizzo|casella).{0,40}(sconosciut|inesistente|non esiste|non trovat)/i, then: UNKNOWN },
  { id: 'it/full', seen: '552 Casella del destinatario piena', when: /casella.{0,40}\bpiena\b/i, then: FULL },
  { id: 'it/full-deferred', seen: '452 La casella del destinatario è piena', when: /casella.{0,40}\bpiena\b/i, then: FULL },
  { id: 'nl/unknown', seen: '550 5.1.1 Gebruiker onbekend', when: /(gebruiker|ontvanger|adres).{0,40}(onbekend|bestaat niet)|onbekende (gebruiker|ontvanger)/i, then: UNKNOWN },
  { id: 'nl/full', seen: '552 Postbus van de ontvanger is vol', when: /postbus.{0,40}\bvol\b/i, then: FULL },
  { id: 'pt/unknown', seen: '550 5.1.1 Usuário inexistente', when: /(usu(á|a)rio|conta|endere(ç|c)o|destinat(á|a)rio).{0,40}(inexistente|desconhecid|n(ã|a)o existe|n(ã|a)o encontrad)/i, then: UNKNOWN },
]
