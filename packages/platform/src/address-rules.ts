/**
 * Which network addresses a URL somebody else wrote may lead to (IANA special-purpose registries, RFC 6890). Public ones
 * always; private, loopback and link-local ones only where whoever runs this server says so; the rest never.
 */
import { BlockList, isIPv6 } from 'node:net';

const PRIVATE = blockList([
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['::1', 128],
  ['fc00::', 7],
  ['fe80::', 10],
]);

/** Nobody's address to serve a file: unspecified, protocol assignments, documentation, benchmarking, multicast, reserved. */
const NEVER = blockList([
  ['0.0.0.0', 8],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
]);

/** Global unicast; everything else of IPv6 is special. */
const GLOBAL_IPV6 = blockList([['2000::', 3]]);

export function mayBeAsked(address: string, privateAllowed: boolean): boolean {
  const plain = mappedIpv4(address) ?? address;
  const family = isIPv6(plain) ? 'ipv6' : 'ipv4';
  if (NEVER.check(plain, family)) return false;
  if (PRIVATE.check(plain, family)) return privateAllowed;
  return family === 'ipv4' || GLOBAL_IPV6.check(plain, family);
}

/** ::ffff:10.0.0.1 is 10.0.0.1 to the socket that connects to it (RFC 4291 section 2.5.5.2). */
function mappedIpv4(address: string): string | undefined {
  return /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
}

function blockList(subnets: readonly (readonly [string, number])[]): BlockList {
  const list = new BlockList();
  for (const [net, prefix] of subnets) list.addSubnet(net, prefix, isIPv6(net) ? 'ipv6' : 'ipv4');
  return list;
}
