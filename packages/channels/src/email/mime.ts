/**
 * Reading a mail that was handed in (RFC 5322, RFC 2045 to 2047), as much as reports and replies need. Bytes stay one
 * character each until a part's own charset is known. Everything is bounded, no
 * expression takes more than one pass over what arrives, and nothing throws for it.
 */
const MAX_DEPTH = 6;
const MAX_PARTS = 64;
/** A field longer than this is cut before it is looked into. */
const MAX_FIELD = 8_192;

export type Fields = ReadonlyMap<string, readonly string[]>;

export interface MimePart {
  readonly fields: Fields;
  /** Lower case, for example `text/plain`. */
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  /** As it stood, one character a byte. */
  readonly body: string;
  readonly parts: readonly MimePart[];
}

/** `undefined` for what has no header at all. */
export function parseMime(bytes: Uint8Array): MimePart | undefined {
  // A line "From …" before the header is how mailboxes part mails; a pipe may leave it there.
  const source = Buffer.from(bytes)
    .toString('latin1')
    .replace(/^From [^\n]*\n/, '');
  const mail = partOf(source, 0, { left: MAX_PARTS });
  return mail.fields.size === 0 ? undefined : mail;
}

/** Header fields, unfolded (RFC 5322 section 2.2.3); names in lower case, several of one name in their order. */
export function fieldsOf(head: string): Fields {
  const fields = new Map<string, string[]>();
  for (const line of head.replace(/\r?\n[ \t]+/g, ' ').split(/\r?\n/)) {
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(colon, 0)).trim().toLowerCase();
    if (!/^[!-9;-~]{1,76}$/.test(name)) continue;
    const value = line.slice(colon + 1, colon + 1 + MAX_FIELD).trim();
    const held = fields.get(name);
    if (held === undefined) fields.set(name, [value]);
    else held.push(value);
  }
  return fields;
}

/** Every part that has no parts of its own, in order. */
export function leavesOf(part: MimePart): MimePart[] {
  return part.parts.length === 0 ? [part] : part.parts.flatMap(leavesOf);
}

/** What a part says, out of its transfer encoding and charset; unknown charsets are read as UTF-8. */
export function textOfPart({ fields, parameters, body }: MimePart): string {
  const encoding = fields.get('content-transfer-encoding')?.[0]?.toLowerCase() ?? '7bit';
  return decode(bytesOf(body, encoding), parameters.get('charset') ?? 'utf-8').replaceAll('\r\n', '\n');
}

/** A field's text with its encoded words read (RFC 2047). */
export function wordsOfField(field: string): string {
  return field
    .replace(/\?=\s+=\?/g, '?==?')
    .replace(/=\?([\w-]{1,40})(?:\*\w{1,20})?\?([BbQq])\?([^?\s]*)\?=/g, (_word, charset, encoding, text) =>
      decode(
        /b/i.test(encoding) ? bytesOf(text, 'base64') : bytesOf(text.replaceAll('_', ' '), 'quoted-printable'),
        charset,
      ),
    );
}

function partOf(source: string, depth: number, count: { left: number }): MimePart {
  count.left -= 1;
  const [head, body] = parted(source);
  const fields = fieldsOf(head);
  const { type, parameters } = contentType(fields.get('content-type')?.[0] ?? 'text/plain');
  const boundary = parameters.get('boundary');
  const parts: MimePart[] = [];
  if (type.startsWith('multipart/') && boundary !== undefined && depth < MAX_DEPTH) {
    for (const section of sectionsOf(body, boundary)) {
      if (count.left > 0) parts.push(partOf(section, depth + 1, count));
    }
  }
  return { fields, type, parameters, body, parts };
}

/** Header and body; the empty line between them may be the first. */
function parted(source: string): [head: string, body: string] {
  const [, empty] = /^(\r?\n)/.exec(source) ?? [];
  if (empty !== undefined) return ['', source.slice(empty.length)];
  const end = /\r?\n\r?\n/.exec(source);
  return end === null ? [source, ''] : [source.slice(0, end.index), source.slice(end.index + end[0].length)];
}

/** RFC 2046 section 5.1.1; the line end before a delimiter belongs to it. */
function sectionsOf(body: string, boundary: string): string[] {
  const sections: string[][] = [];
  for (const line of body.split('\n')) {
    const bare = line.trimEnd();
    if (bare === `--${boundary}--`) break;
    if (bare === `--${boundary}`) sections.push([]);
    else sections.at(-1)?.push(line);
  }
  return sections.map((lines) => lines.join('\n').replace(/\r$/, ''));
}

function contentType(field: string): { type: string; parameters: ReadonlyMap<string, string> } {
  const type = /^[a-z]+\/[a-z0-9.+-]+/i.exec(field)?.[0].toLowerCase() ?? 'text/plain';
  const parameters = new Map<string, string>();
  for (const [, name = '', quoted, bare] of field.matchAll(/;\s*([\w*-]{1,40})\s*=\s*(?:"([^"]*)"|([^\s;"]*))/g))
    parameters.set(name.toLowerCase(), quoted ?? bare ?? '');
  return { type, parameters };
}

function bytesOf(body: string, encoding: string): Uint8Array {
  if (encoding === 'base64') return Buffer.from(body, 'base64');
  if (encoding !== 'quoted-printable') return Buffer.from(body, 'latin1');
  const plain = body
    .replace(/=[ \t]*\r?\n/g, '')
    .replace(/=([0-9A-Fa-f]{2})/g, (_escape, hex) => String.fromCharCode(Number.parseInt(hex, 16)));
  return Buffer.from(plain, 'latin1');
}

function decode(bytes: Uint8Array, charset: string): string {
  try {
    return new TextDecoder(charset).decode(bytes);
  } catch {
    return new TextDecoder().decode(bytes);
  }
}
