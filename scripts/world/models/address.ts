/** Addresses as keys: the domain in lower case, a local part without needless quotes (`"taro..y"@x` is `taro..y@x`). */

export function localOf(address: string): string {
  return address.slice(0, Math.max(0, address.lastIndexOf('@')))
}

export function domainOf(address: string): string {
  return address.slice(address.lastIndexOf('@') + 1)
}

export function canonical(address: string): string {
  const at = address.lastIndexOf('@')
  if (at === -1) return address
  const quoted = address.startsWith('"') && address[at - 1] === '"' && at > 1
  const local = quoted ? address.slice(1, at - 1).replace(/\\(.)/g, '$1') : address.slice(0, at)
  return `${local}@${address.slice(at + 1).toLowerCase()}`
}
