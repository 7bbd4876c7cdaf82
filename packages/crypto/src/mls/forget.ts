/**
 * Wipes secrets that have done their work. ts-mls hands over what it consumed, but part of that still belongs to the
 * state the operation started from: the caller keeps that state until the next one is stored, and a wiped ratchet would
 * make it encrypt under a known key. What the old state still holds goes with it; everything else is zeroed here.
 */
import type { ClientState } from 'ts-mls';
import type { SecretTreeNode } from 'ts-mls/secretTree.js';

export function forget(
  consumed: readonly Uint8Array[],
  client: ClientState,
  ...nodes: (SecretTreeNode | undefined)[]
): void {
  const kept = new Set<Uint8Array>([client.keySchedule.initSecret]);
  for (const node of nodes) {
    for (const ratchet of node === undefined ? [] : [node.application, node.handshake]) {
      kept.add(ratchet.secret);
      for (const secret of Object.values(ratchet.unusedGenerations)) kept.add(secret);
    }
  }
  for (const secret of consumed) if (!kept.has(secret)) secret.fill(0);
}
