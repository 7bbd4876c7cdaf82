/**
 * The names certificates carry: one `sealpost://` URI as the only subject alternative name that counts. Parsing is exact,
 * so that two different URIs never name one subject.
 */
import {
  type AgentId,
  agentIdSchema,
  type DeviceId,
  deviceIdSchema,
  type MemberId,
  memberIdSchema,
  type Organisation,
  organisationSchema,
} from '@sealpost/protocol';

export type CertificateUri =
  | {
      readonly kind: 'device';
      readonly organisation: Organisation;
      readonly member: MemberId;
      readonly device: DeviceId;
    }
  | { readonly kind: 'agent'; readonly organisation: Organisation; readonly agent: AgentId }
  | { readonly kind: 'service' | 'ca'; readonly organisation: Organisation; readonly name: string };

export function memberDeviceUri(organisation: Organisation, member: MemberId, device: DeviceId): string {
  return `sealpost://${organisation}/member/${member}/device/${device}`;
}

export function agentUri(organisation: Organisation, agent: AgentId): string {
  return `sealpost://${organisation}/agent/${agent}`;
}

export function serviceUri(organisation: Organisation, name: string): string {
  return `sealpost://${organisation}/service/${name}`;
}

export function caUri(organisation: Organisation, name: string): string {
  return `sealpost://${organisation}/ca/${name}`;
}

/** Answers `undefined` for anything the functions above do not make. */
export function parseUri(uri: string): CertificateUri | undefined {
  const [, authority, kind, name, , device] =
    /^sealpost:\/\/([^/]+)\/(member|agent|service|ca)\/([^/]+)(\/device\/([^/]+))?$/.exec(uri) ?? [];
  const organisation = organisationSchema.safeParse(authority);
  if (!organisation.success || kind === undefined) return undefined;
  const slug = agentIdSchema.safeParse(name);
  if (!slug.success) return undefined;
  if (kind === 'member') {
    const [member, id] = [memberIdSchema.safeParse(name), deviceIdSchema.safeParse(device)];
    if (!member.success || !id.success) return undefined;
    return { kind: 'device', organisation: organisation.data, member: member.data, device: id.data };
  }
  if (device !== undefined) return undefined;
  if (kind === 'agent') return { kind, organisation: organisation.data, agent: slug.data };
  return { kind: kind === 'ca' ? 'ca' : 'service', organisation: organisation.data, name: slug.data };
}
