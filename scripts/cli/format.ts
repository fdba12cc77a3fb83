/** Numbers and times as people read them. Times are in the local zone; programs get RFC 3339 by --json. */
import type { EpochMs } from '../../protocol/words.ts'

export function count(n: number): string {
  return String(Math.round(n)).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `3 recipients`, `1 recipient` */
export function counted(n: number, one: string, many = `${one}s`): string {
  return `${count(n)} ${n === 1 ? one : many}`
}

/** `98.6 %`; 100 only when it is all, 0 only when it is nothing. */
export function percent(part: number, whole: number): string {
  if (whole === 0) return '–'
  const tenths = Math.floor((part / whole) * 1_000)
  if (part > 0 && tenths === 0) return '< 0.1 %'
  return tenths % 10 === 0 ? `${tenths / 10} %` : `${(tenths / 10).toFixed(1)} %`
}

const SIZES = ['B', 'KB', 'MB', 'GB', 'TB'] as const

export function bytes(n: number): string {
  let [size, at] = [n, 0]
  for (; size >= 999.5 && at < SIZES.length - 1; at++) size /= 1_000
  return `${at === 0 || size >= 99.95 ? Math.round(size) : size.toFixed(1)} ${SIZES[at]}`
}

/** `0.4 s`, `40 s`, `2 min 10 s`, `5 h 3 min`, `3 d 4 h` */
export function span(ms: number): string {
  const s = Math.max(0, ms) / 1_000
  if (s < 9.95) return `${s.toFixed(1)} s`
  const whole = Math.round(s)
  if (whole < 60) return `${whole} s`
  if (whole < 3_600) return two(Math.floor(whole / 60), 'min', whole % 60, 's')
  if (whole < 86_400) return two(Math.floor(whole / 3_600), 'h', Math.floor((whole % 3_600) / 60), 'min')
  return two(Math.floor(whole / 86_400), 'd', Math.floor((whole % 86_400) / 3_600), 'h')
}

function two(a: number, unitA: string, b: number, unitB: string): string {
  return b === 0 ? `${a} ${unitA}` : `${a} ${unitA} ${b} ${unitB}`
}

/** `14:05:10` today, `2026-11-25 14:05:10` on other days. */
export function clock(at: EpochMs | string, now: EpochMs): string {
  const moment = new Date(at)
  const day = dayOf(moment)
  const time = [moment.getHours(), moment.getMinutes(), moment.getSeconds()].map(two0).join(':')
  return day === dayOf(new Date(now)) ? time : `${day} ${time}`
}

function dayOf(moment: Date): string {
  return [moment.getFullYear(), two0(moment.getMonth() + 1), two0(moment.getDate())].join('-')
}

function two0(n: number): string {
  return String(n).padStart(2, '0')
}

/** `14:05:10 (in 40 s)`; empty for null */
export function until(at: string | null, now: EpochMs): string {
  if (at === null) return ''
  const ms = Date.parse(at) - now
  return `${clock(at, now)} (${ms < 0 ? `${span(-ms)} ago` : `in ${span(ms)}`})`
}

/** `[█████·····]` */
export function bar(part: number, whole: number, width: number): string {
  const full = whole === 0 ? 0 : Math.floor((Math.min(part, whole) / whole) * width)
  return '█'.repeat(full) + '·'.repeat(width - full)
}
