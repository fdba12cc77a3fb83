import { describe, expect, it } from 'vitest'
import { addressScope, isPrivateAddress, whyNotConnect } from './address-scope.ts'

describe('where an address can be', () => {
  it.each([
    '127.0.2.1',
    '10.1.2.3',
    '172.31.255.255',
    '192.168.0.1',
    '169.254.169.254',
    '100.64.0.1',
    '::1',
    'fe80::1%eth0',
    'fd00::1',
    '::ffff:10.0.0.1',
    '::ffff:7f00:1',
    '64:ff9b::a00:1',
    '2002:a00:1::1',
  ])('private: %s', (address) => expect(isPrivateAddress(address)).toBe(true))
  it.each(['8.8.8.8', '172.32.0.1', '100.128.0.1', '2a00:1450::1', '::ffff:8.8.8.8', '64:ff9b::808:808'])('global: %s', (address) =>
    expect(addressScope(address)).toBe('global'),
  )
  it.each(['0.0.0.0', '203.0.113.7', '224.0.0.1', '255.255.255.255', '::', '2001:db8::1', 'ff02::1', 'mx.example', ''])('unusable: "%s"', (address) =>
    expect(addressScope(address)).toBe('unusable'),
  )
})

describe('the guard before a connect', () => {
  const plain = { allowPrivateMx: false, onlyPrivateMx: false }
  it('keeps strangers out of our own network', () => {
    expect(whyNotConnect('127.0.0.1', plain)).toBe('private-mx')
    expect(whyNotConnect('8.8.8.8', plain)).toBeNull()
  })
  it('lets a lab mail its own network, and a demo nothing else', () => {
    expect(whyNotConnect('127.0.0.1', { ...plain, allowPrivateMx: true })).toBeNull()
    expect(whyNotConnect('127.0.0.1', { ...plain, onlyPrivateMx: true })).toBeNull()
    expect(whyNotConnect('8.8.8.8', { ...plain, onlyPrivateMx: true })).toBe('public-mx')
  })
  it('never connects to nobody', () => {
    expect(whyNotConnect('0.0.0.0', { allowPrivateMx: true, onlyPrivateMx: true })).toBe('unusable-address')
  })
})
