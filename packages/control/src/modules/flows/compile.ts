/**
 * The compiler of flows as code: manifest and policy texts in, one bundle or every problem with its place out. Pure, so
 * that the command line and control agree to the letter on what may run.
 */
import {
  type AgentManifest,
  addressKindOf,
  type Bundle,
  bundleSchema,
  type ChannelManifest,
  type ChannelName,
  type CompiledFlow,
  type FlowManifest,
  type InspectionManifest,
  type LadderStep,
  meetsFloor,
  type RolloutManifest,
  type RungVendor,
  type Timestamp,
  type VendorManifest,
  vendorNameSchema,
} from '@sealpost/protocol';
import { checkPolicies } from './check-policies.ts';
import { type ManifestProblem, type ManifestText, type ReadManifest, readManifests } from './manifest-reader.ts';

export type { ManifestProblem, ManifestText } from './manifest-reader.ts';

export interface CompileOptions {
  readonly organisation: string;
  readonly version: number;
  readonly issued: Timestamp;
  /** Milliseconds. */
  readonly lifetime: number;
}

export type CompileResult =
  | { readonly kind: 'ok'; readonly bundle: Bundle }
  | { readonly kind: 'failed'; readonly problems: readonly ManifestProblem[] };

interface Declared<M> {
  readonly manifest: M;
  readonly problem: ReadManifest['problem'];
}

interface Declarations {
  readonly agents: Map<string, Declared<AgentManifest>>;
  readonly channels: Map<string, Declared<ChannelManifest>>;
  readonly vendors: Map<string, Declared<VendorManifest>>;
  readonly rollouts: Map<string, Declared<RolloutManifest>>;
  readonly inspections: Map<string, Declared<InspectionManifest>>;
  readonly flows: Map<string, Declared<FlowManifest>>;
}

export function compileBundle(
  manifests: readonly ManifestText[],
  policies: readonly ManifestText[],
  options: CompileOptions,
): CompileResult {
  const read = readManifests(manifests);
  const { declarations, duplicates } = declare(read.manifests);
  const problems = [...read.problems, ...duplicates, ...policyProblems(policies)];
  for (const inspection of declarations.inspections.values()) problems.push(...inspectionProblems(inspection));
  for (const channel of declarations.channels.values()) problems.push(...channelProblems(channel, declarations));
  for (const rollout of declarations.rollouts.values()) problems.push(...rolloutProblems(rollout, declarations));
  for (const flow of declarations.flows.values()) problems.push(...flowProblems(flow, declarations));
  if (problems.length === 0 && declarations.flows.size === 0) problems.push(noFlow(manifests));
  return problems.length > 0 ? { kind: 'failed', problems } : bundled(declarations, policies, options);
}

function declare(read: readonly ReadManifest[]): { declarations: Declarations; duplicates: ManifestProblem[] } {
  const declarations: Declarations = {
    agents: new Map(),
    channels: new Map(),
    vendors: new Map(),
    rollouts: new Map(),
    inspections: new Map(),
    flows: new Map(),
  };
  const duplicates: ManifestProblem[] = [];
  const put = <M extends { metadata: { name: string } }>(
    map: Map<string, Declared<M>>,
    manifest: M,
    problem: ReadManifest['problem'],
  ) => {
    const { name } = manifest.metadata;
    if (map.has(name)) duplicates.push(problem(['metadata', 'name'], 'this name is declared twice'));
    else map.set(name, { manifest, problem });
  };
  for (const { manifest, problem } of read) {
    if (manifest.kind === 'Agent') put(declarations.agents, manifest, problem);
    else if (manifest.kind === 'Channel') put(declarations.channels, manifest, problem);
    else if (manifest.kind === 'Vendor') put(declarations.vendors, manifest, problem);
    else if (manifest.kind === 'Rollout') put(declarations.rollouts, manifest, problem);
    else if (manifest.kind === 'Inspection') put(declarations.inspections, manifest, problem);
    else put(declarations.flows, manifest, problem);
  }
  return { declarations, duplicates };
}

function inspectionProblems({ manifest, problem }: Declared<InspectionManifest>): ManifestProblem[] {
  const problems: ManifestProblem[] = [];
  const seen = new Set<string>();
  for (const [index, rule] of manifest.spec.rules.entries()) {
    const at = (member: string) => ['spec', 'rules', index, member];
    if (seen.has(rule.id)) problems.push(problem(at('id'), 'this rule id stands twice'));
    seen.add(rule.id);
    if ((rule.detect === 'pattern') !== (rule.literal !== undefined))
      problems.push(problem(at('literal'), '`literal` is needed with `detect: pattern` and only there'));
    if ((rule.action === 'raise') !== (rule.raiseTo !== undefined))
      problems.push(problem(at('raiseTo'), '`raiseTo` is needed with `action: raise` and only there'));
  }
  return problems;
}

function channelProblems({ manifest, problem }: Declared<ChannelManifest>, declared: Declarations): ManifestProblem[] {
  const { spec } = manifest;
  if (!('vendors' in spec)) return [];
  const problems: ManifestProblem[] = [];
  const kinds = new Set<string>();
  for (const [index, { vendor }] of spec.vendors.entries()) {
    const at = ['spec', 'vendors', index, 'vendor'];
    const known = declared.vendors.get(vendor)?.manifest;
    if (known === undefined) problems.push(problem(at, 'no Vendor of this name is declared'));
    else kinds.add(known.spec.adapter === 'app' ? 'app' : addressKindOf(known.spec.adapter));
    if (spec.vendors.findIndex((other) => other.vendor === vendor) < index)
      problems.push(problem(at, 'this vendor stands twice'));
  }
  if (kinds.has('app'))
    problems.push(problem(['spec', 'vendors'], '`app` is no vendor: declare it with `adapter: app`'));
  if (kinds.size > 1)
    problems.push(problem(['spec', 'vendors'], 'the vendors of a channel must reach people by one kind of address'));
  if (spec.vendors.every(({ weight }) => weight === 0))
    problems.push(problem(['spec', 'vendors'], 'no vendor has a weight above 0'));
  return problems;
}

function rolloutProblems({ manifest, problem }: Declared<RolloutManifest>, declared: Declarations): ManifestProblem[] {
  const { channel, flows = [] } = manifest.spec;
  const unknown = flows.flatMap((flow, index) =>
    declared.flows.has(flow) ? [] : [problem(['spec', 'flows', index], 'no Flow of this name is declared')],
  );
  if (declared.channels.has(channel)) return unknown;
  return [problem(['spec', 'channel'], 'no Channel of this name is declared'), ...unknown];
}

function flowProblems({ manifest, problem }: Declared<FlowManifest>, declared: Declarations): ManifestProblem[] {
  const { spec } = manifest;
  const problems: ManifestProblem[] = [];
  const say = (path: readonly PropertyKey[], detail: string) => problems.push(problem(['spec', ...path], detail));
  if (!declared.agents.has(spec.agent)) say(['agent'], 'no Agent of this name is declared');
  if (spec.inspection !== undefined && !declared.inspections.has(spec.inspection))
    say(['inspection'], 'no Inspection of this name is declared');
  for (const [index, step] of spec.ladder.entries()) {
    const vendors = rungVendors(step.channel, declared);
    const below = vendors.find(({ adapter }) => !meetsFloor(step.use, adapter, spec.floor));
    if (!declared.channels.has(step.channel)) say(['ladder', index, 'channel'], 'no Channel of this name is declared');
    if (below !== undefined)
      say(['ladder', index], `below the floor: ${below.adapter} cannot carry content that needs ${spec.floor}`);
    if (step.use !== 'carry' && vendors.some(({ adapter }) => adapter === 'app'))
      say(['ladder', index, 'use'], 'the app channel carries; notices go over the other channels');
    if (step.use === 'link') say(['ladder', index, 'use'], 'split links are not built yet');
    if (spec.ladder.findIndex((other) => other.channel === step.channel && other.use === step.use) < index)
      say(['ladder', index], 'this channel is used so already, further up');
    if ((spec.ladder[index - 1]?.after ?? 0) > (step.after ?? 0))
      say(['ladder', index, 'after'], 'comes before the step above it: `after` counts from acceptance');
  }
  if (!spec.ladder.some((step) => step.use !== 'notice')) say(['ladder'], 'no step carries the content');
  if (spec.ladder.some((step) => step.use === 'notice') && spec.notice === undefined)
    say(['ladder'], 'a step sends notices, but `notice` does not say which text and url');
  const last = Math.max(...spec.ladder.map((step) => step.after ?? 0));
  if (last >= spec.expires) say(['expires'], 'a step of the ladder comes after the message has expired');
  if (spec.expires < 1000) say(['expires'], 'a message lives at least a second');
  return problems;
}

function policyProblems(policies: readonly ManifestText[]): ManifestProblem[] {
  const problems: ManifestProblem[] = [];
  const texts = new Map<string, string>();
  for (const { file, text } of policies) {
    if (texts.has(file))
      problems.push({ file, line: 1, column: 1, pointer: '', detail: 'this policy file is given twice' });
    texts.set(file, text);
  }
  for (const { file, offset, detail } of checkPolicies([...texts].map(([name, text]) => ({ name, text })))) {
    problems.push({ file, ...placeOf(texts.get(file) ?? '', offset), pointer: '', detail });
  }
  return problems;
}

/** Cedar counts bytes of UTF-8, people lines and columns. */
function placeOf(text: string, offset: number): { line: number; column: number } {
  const before = new TextDecoder().decode(new TextEncoder().encode(text).subarray(0, offset)).split('\n');
  return { line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

function noFlow(manifests: readonly ManifestText[]): ManifestProblem {
  return { file: manifests[0]?.file ?? '', line: 1, column: 1, pointer: '', detail: 'no Flow is declared' };
}

function bundled(declared: Declarations, policies: readonly ManifestText[], options: CompileOptions): CompileResult {
  const { organisation, version, issued, lifetime } = options;
  const parsed = bundleSchema.safeParse({
    v: 1,
    organisation,
    version,
    issued,
    expires: issued + lifetime,
    agents: [...declared.agents.values()].map(({ manifest: { metadata, spec } }) => ({ name: metadata.name, ...spec })),
    ...(declared.vendors.size === 0 ? {} : { vendors: [...declared.vendors.values()].map(compiledVendor) }),
    ...(declared.rollouts.size === 0 ? {} : { rollouts: [...declared.rollouts.values()].map(compiledRollout) }),
    flows: [...declared.flows.values()].map(({ manifest }) => compiledFlow(manifest, declared)),
    policies: policies.map(({ file, text }) => ({ name: file, text })),
  });
  if (parsed.success) return { kind: 'ok', bundle: parsed.data };
  const problems = parsed.error.issues.map((issue) => ({
    file: '',
    line: 1,
    column: 1,
    pointer: issue.path.map((part) => `/${String(part)}`).join(''),
    detail: issue.message.slice(0, 300),
  }));
  return { kind: 'failed', problems };
}

function compiledFlow({ metadata, spec }: FlowManifest, declared: Declarations): CompiledFlow {
  return {
    name: metadata.name,
    purpose: spec.purpose,
    agent: spec.agent,
    classification: spec.classification,
    floor: spec.floor,
    ladder: spec.ladder.map(({ channel, use, after = 0 }) => ({ ...behind(channel, declared), use, after })),
    ...(spec.notice === undefined ? {} : { notice: spec.notice }),
    inspection: declared.inspections.get(spec.inspection ?? '')?.manifest.spec.rules ?? [],
    ...(spec.links === undefined ? {} : { links: spec.links }),
    ...(spec.quiet === undefined ? {} : { quiet: spec.quiet }),
    ambiguous: spec.ambiguous,
    ...(spec.limit === undefined ? {} : { limit: spec.limit }),
    expires: spec.expires,
  };
}

function compiledVendor({ manifest: { metadata, spec } }: Declared<VendorManifest>) {
  const expires = spec.expires === undefined ? {} : { expires: Date.parse(spec.expires) };
  return { name: metadata.name, ...spec, ...expires };
}

function compiledRollout({ manifest: { metadata, spec } }: Declared<RolloutManifest>) {
  return { name: metadata.name, ...spec };
}

/** The vendors a channel may use; none for one that is not declared, or whose vendors are not. */
function rungVendors(channel: string, declared: Declarations): RungVendor[] {
  const spec = declared.channels.get(channel)?.manifest.spec;
  if (spec === undefined) return [];
  if ('adapter' in spec) return [{ vendor: vendorNameSchema.parse(channel), adapter: spec.adapter, weight: 1 }];
  return spec.vendors.flatMap(({ vendor, weight }) => {
    const adapter = declared.vendors.get(vendor)?.manifest.spec.adapter;
    return adapter === undefined ? [] : [{ vendor, adapter, weight }];
  });
}

/** Only called once every channel and vendor was found declared. */
function behind(channel: ChannelName, declared: Declarations): Pick<LadderStep, 'channel' | 'adapter' | 'vendors'> {
  const vendors = rungVendors(channel, declared);
  const [first] = vendors;
  if (first === undefined) throw new TypeError('a flow with an undeclared channel is never compiled');
  const spec = declared.channels.get(channel)?.manifest.spec ?? {};
  return { channel, adapter: first.adapter, ...('vendors' in spec ? { vendors } : {}) };
}
