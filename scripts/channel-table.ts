/**
 * The tables of docs/channels.md: what each adapter declares of itself, beside what the protocol says of it, and which
 * suites hold it to that. Nothing is started: an adapter is made with the least settings it takes, and only asked.
 */
import {
  type AdapterContext,
  type Capabilities,
  type ChannelAdapterName,
  type ContentLimits,
  createAdapter,
} from '../packages/channels/src/index.ts';
import { RCS_CARD } from '../packages/channels/src/rcs-content.ts';
import { ADAPTERS, addressKindOf, isIdempotent, protectionOf } from '../packages/protocol/src/protection.ts';

interface Row {
  readonly name: ChannelAdapterName;
  /** Where one adapter has two ways to its provider. */
  readonly way?: string;
  /** The least that parses; no file of these is ever read. */
  readonly settings: object;
  readonly tested: readonly Suite[];
}

interface Suite {
  /** Whose software, description or answers the adapter meets. */
  readonly by: string;
  readonly file: string;
  /** Where the suite takes its adapters from, unless it names them itself. */
  readonly about?: string;
}

const TESTS = 'packages/channels/test';
const recorded = (name: string, also = ''): Suite => ({
  by: `recorded answers${also}`,
  file: `${TESTS}/${name}.test.ts`,
});
/** What every adapter in `recorded-settings.ts` runs. */
const COMMON: readonly Suite[] = [
  { by: 'sockets that break', file: `${TESTS}/connections.test.ts`, about: `${TESTS}/recorded-settings.ts` },
  { by: 'what it declares', file: `${TESTS}/capabilities.test.ts`, about: `${TESTS}/recorded-settings.ts` },
  { by: 'odd answers', file: `${TESTS}/odd-answers.test.ts`, about: `${TESTS}/recorded-settings.ts` },
];
const FAULTS: Suite = {
  by: 'the fault matrix',
  file: 'test/scenarios/faults.test.ts',
  about: 'test/faults/providers.ts',
};

/** The contract of chats and mail; `about` is where its provider is made. */
const chatContract = (at: string, provider: string): Suite => ({
  by: `the contract, at ${at}`,
  file: `${TESTS}/chat-and-mail.contract.test.ts`,
  about: `${TESTS}/providers/${provider}.ts`,
});
const FAKE = 'a fake of the provider';
const SOCKET_FAULTS: Suite = { ...FAULTS, about: 'test/faults/sockets.ts' };

const TWILIO = {
  account_sid: `AC${'0'.repeat(32)}`,
  api_key_sid: `SK${'0'.repeat(32)}`,
  api_key_secret_file: 'secret',
  auth_token_file: 'secret',
  webhook_url: 'https://dispatcher.example/webhooks/twilio',
};
const TWILIO_SUITES: readonly Suite[] = [
  {
    by: 'the contract, at a fake of the provider',
    file: `${TESTS}/http-providers.contract.test.ts`,
    about: `${TESTS}/providers/twilio.ts`,
  },
  recorded('twilio', ', Twilio’s own library for signatures, Twilio’s API description'),
  FAULTS,
];
const TEAMS_SUITES: readonly Suite[] = [
  chatContract(FAKE, 'teams'),
  recorded('teams', ', jose for tokens, Microsoft’s API description and card schema'),
];
const TEAMS_BOT_SUITES: readonly Suite[] = [
  ...TEAMS_SUITES,
  { by: 'Microsoft’s Agents Playground', file: `${TESTS}/teams-peer.test.ts` },
  FAULTS,
];
const GUID = '00000000-0000-4000-8000-000000000000';

const ROWS: readonly Row[] = [
  {
    name: 'rcs-google',
    settings: { agent_id: 'agent', service_account_file: 'account', client_token_file: 'secret' },
    tested: [
      {
        by: 'the contract, at the simulated platform; each exchange by Google’s API description',
        file: `${TESTS}/rcs-google.contract.test.ts`,
      },
      recorded('rcs-google'),
      FAULTS,
      { by: 'an outage, through the dispatcher', file: 'packages/gateway/test/dispatcher/outage.test.ts' },
    ],
  },
  { name: 'rcs-twilio', settings: { ...TWILIO, sender: 'agent' }, tested: TWILIO_SUITES },
  {
    name: 'rcs-infobip',
    settings: {
      base_url: 'https://account.example',
      sender: 'agent',
      api_key_file: 'secret',
      webhook_credentials_file: 'secret',
    },
    tested: [recorded('rcs-infobip'), FAULTS],
  },
  {
    name: 'rcs-sinch',
    settings: {
      project_id: 'project',
      app_id: 'app',
      key_id: 'key',
      key_secret_file: 'secret',
      webhook_secret_file: 'secret',
    },
    tested: [recorded('rcs-sinch', ', Sinch’s published signature'), FAULTS],
  },
  {
    name: 'rcs-vonage',
    settings: { application_id: GUID, private_key_file: 'key', signature_secret_file: 'secret', sender: 'agent' },
    tested: [recorded('rcs-vonage', ', jose for tokens'), FAULTS, ...COMMON],
  },
  {
    name: 'rcs-aws',
    settings: {
      region: 'eu-central-1',
      agent: 'rcs-1',
      access_key_id: 'AKIAIOSFODNN7EXAMPLE',
      secret_access_key_file: 'secret',
      topic_arns: ['arn:aws:sns:eu-central-1:123456789012:sealpost'],
    },
    tested: [recorded('rcs-aws', ', AWS’s own request signer, certificates by OpenSSL'), FAULTS, ...COMMON],
  },
  {
    name: 'rcs-maap',
    settings: {
      base_url: 'https://operator.example',
      bot_id: 'bot',
      access_token_file: 'secret',
      webhook_token_file: 'secret',
    },
    tested: [recorded('rcs-maap'), FAULTS, ...COMMON],
  },
  {
    name: 'sms-smpp',
    settings: { host: 'smsc.example', system_id: 'sealpost', password_file: 'secret', source_address: 'Acme' },
    tested: [
      {
        by: 'the contract, at the simulated SMSC and at Debian’s Net::SMPP',
        file: `${TESTS}/sms-smpp.contract.test.ts`,
      },
      { by: 'Net::SMPP’s reading of each byte', file: `${TESTS}/sms-peer.test.ts` },
      { by: 'texts', file: `${TESTS}/sms-text.test.ts` },
      { by: 'receipts as SMSCs write them', file: `${TESTS}/sms-receipt.test.ts` },
      SOCKET_FAULTS,
      { by: 'an outage, through the dispatcher', file: 'packages/gateway/test/dispatcher/outage.test.ts' },
    ],
  },
  { name: 'sms-twilio', settings: { ...TWILIO, sender: '+15005550006' }, tested: TWILIO_SUITES },
  {
    name: 'whatsapp-cloud',
    settings: {
      phone_number_id: '100000',
      access_token_file: 'secret',
      app_secret_file: 'secret',
      verify_token_file: 'secret',
    },
    tested: [recorded('whatsapp-cloud'), FAULTS, ...COMMON],
  },
  {
    name: 'slack',
    settings: { team_id: 'T00000000', bot_token_file: 'secret', signing_secret_file: 'secret' },
    tested: [recorded('slack', ', Slack’s API description and published signature'), FAULTS, ...COMMON],
  },
  {
    name: 'teams',
    way: 'bot',
    settings: { mode: 'bot', app_id: GUID, tenant_id: GUID, client_secret_file: 'secret' },
    tested: TEAMS_BOT_SUITES,
  },
  {
    name: 'teams',
    way: 'workflows',
    settings: { mode: 'workflows', url_files: { ops: 'secret' } },
    tested: TEAMS_SUITES,
  },
  {
    name: 'email',
    settings: { host: 'relay.example', from: 'alerts@example.org', webhook_token_file: 'secret' },
    tested: [
      chatContract('a scripted relay', 'email'),
      { by: 'maildev, smtp-server and Postfix’s smtp-sink', file: `${TESTS}/email-peer.test.ts` },
      { by: 'reports and answers as mailers write them', file: `${TESTS}/email-inbound.test.ts` },
      SOCKET_FAULTS,
    ],
  },
  {
    name: 'signal',
    way: 'JSON-RPC',
    settings: { mode: 'json-rpc', base_url: 'https://signal.example', account: '+15005550006' },
    tested: [chatContract(FAKE, 'signal'), recorded('signal', ', a real event stream')],
  },
  {
    name: 'signal',
    way: 'REST',
    settings: {
      mode: 'rest',
      base_url: 'https://signal.example',
      account: '+15005550006',
      webhook_token_file: 'secret',
    },
    tested: [chatContract(FAKE, 'signal'), recorded('signal'), FAULTS, ...COMMON],
  },
  {
    name: 'imessage',
    settings: { base_url: 'https://mac.example', password_file: 'secret', webhook_token_file: 'secret' },
    tested: [recorded('imessage'), FAULTS],
  },
  {
    name: 'imessage-business',
    settings: { msp_id: 'msp', business_id: 'business', secret_file: 'secret' },
    tested: [chatContract(FAKE, 'imessage-business'), recorded('imessage-business'), FAULTS, ...COMMON],
  },
  {
    name: 'webpush',
    settings: { subject: 'mailto:ops@example.org', public_key: `B${'A'.repeat(86)}`, private_key_file: 'key' },
    tested: [recorded('webpush', ', decrypted by web-push-testing'), FAULTS],
  },
];

/** Nothing an adapter does before it is started may need its surroundings. */
const never = () => {
  throw new TypeError('an adapter that is only described asked for something');
};
const NOWHERE: AdapterContext = { now: never, fetch: never, readSecret: never, random: never };

interface Repository {
  /** Empty where there is no such file. */
  readonly read: (path: string) => string;
  readonly list: (pattern: string) => readonly string[];
  readonly problem: (what: string) => void;
  readonly table: (head: readonly string[], rows: readonly (readonly string[])[]) => string;
}

interface Described extends Row {
  readonly label: string;
  readonly can: Capabilities;
}

export function channelTables(repository: Repository): string {
  const rows = ROWS.map((row) => ({
    ...row,
    label: `\`${row.name}\`${row.way === undefined ? '' : ` (${row.way})`}`,
    can: createAdapter(row.name, row.settings, NOWHERE).capabilities,
  }));
  checkDeclared(rows, repository);
  checkSuites(rows, repository);
  const of = (head: readonly string[], cells: (row: Described) => readonly string[]) =>
    repository.table(
      ['adapter', ...head],
      rows.map((row) => [row.label, ...cells(row)]),
    );
  return [
    '### Who can read',
    of(
      ['address', 'protection of content', 'who can read what it is given, beside the recipient', 'webhook proof'],
      ({ can }) => [can.address, `\`${can.protection}\``, can.readers.join('; '), WEBHOOK[can.webhook]],
    ),
    '### What it shows',
    of(['text', 'title', 'suggestions', 'file'], ({ can: { content } }) => [
      `${count(content.text)} ${content.textUnit}`,
      content.title === 0 ? 'the first line' : count(content.title),
      suggestionsOf(content),
      fileOf(content),
    ]),
    `Nothing is cut: what does not fit is written out in the text or refused. An RCS card (a title or a file), but for \`rcs-twilio\`’s,\nholds ${count(RCS_CARD.text)} characters and ${RCS_CARD.suggestions} suggestions.`,
    '### What comes back',
    of(
      [
        'delivered / read',
        'answers',
        'a repeat of an attempt',
        'asked about a lost answer',
        'lookup',
        'taking back',
        'longest it is told to try',
      ],
      ({ can }) => [
        `${yes(can.delivered)} / ${yes(can.read)}`,
        yes(can.inbound),
        can.idempotent ? 'ignored' : 'may be shown twice',
        yes(can.query),
        yes(can.lookup),
        can.revoke === 'no' ? 'no' : can.revoke.replace('-', ' '),
        can.maxTtl === 0 ? 'cannot be told' : daysOf(can.maxTtl),
      ],
    ),
    '### Tested by',
    of(['what', 'suite'], ({ tested }) =>
      tested.length === 0
        ? ['nothing yet', '–']
        : [tested.map(({ by }) => by).join('; '), tested.map(({ file }) => `\`${file}\``).join(' ')],
    ),
  ].join('\n\n');
}

const WEBHOOK = {
  signed: 'signed by the provider',
  token: 'a secret we gave it',
  none: 'no webhook',
} as const satisfies Record<Capabilities['webhook'], string>;

const yes = (is: boolean) => (is ? 'yes' : 'no');
const count = (amount: number) => amount.toLocaleString('en-US');
const daysOf = (milliseconds: number) => {
  const hours = milliseconds / 3_600_000;
  return hours % 24 === 0 ? `${hours / 24} days` : `${count(Math.round(hours * 10) / 10)} hours`;
};

function suggestionsOf({ suggestions, suggestionText, openLinks }: ContentLimits): string {
  if (suggestions === 0) return 'written out';
  return `${suggestions} of ${suggestionText}${openLinks ? '' : ', no links'}`;
}

function fileOf({ file, fileBytes, fileTypes }: ContentLimits): string {
  if (file === 'none') return 'a link in the text';
  const how = { url: 'by link', bytes: 'by upload', both: 'by link or upload' }[file];
  const what = fileTypes.includes('*') ? 'any type' : `${fileTypes.length} types`;
  return `${how}, ${count(Math.floor(fileBytes / 1024 / 1024))} MiB, ${what}`;
}

/** What an adapter declares is what the protocol, which decides about floors and repeats, says of it. */
function checkDeclared(rows: readonly Described[], { problem }: Repository): void {
  for (const { name, label, can } of rows) {
    const [declared, said] = [
      [can.protection, can.address, can.idempotent],
      [protectionOf('carry', name), addressKindOf(name), isIdempotent(name)],
    ].map((facts) => facts.join(', '));
    if (declared !== said)
      problem(`${label} declares ${declared}, and packages/protocol/src/protection.ts says ${said}`);
    if (can.readers.length === 0) problem(`${label} does not say who can read`);
  }
  for (const name of ADAPTERS)
    if (name !== 'app' && !rows.some((row) => row.name === name))
      problem(`scripts/channel-table.ts lacks the adapter ${name}`);
}

/** Every suite that is claimed is there and about its adapter, and every suite that is there is claimed. */
function checkSuites(rows: readonly Described[], { read, list, problem }: Repository): void {
  for (const { name, label, tested } of rows)
    for (const { file, about = file } of tested)
      if (read(file) === '' || !read(about).includes(name))
        problem(
          `scripts/channel-table.ts: ${label} is said to be tested by ${file}, which is not there or not about it`,
        );
  const claimed = new Set(rows.flatMap(({ tested }) => tested.map(({ file }) => file)));
  for (const file of list(`${TESTS}/*.test.ts`))
    if (!claimed.has(file)) problem(`scripts/channel-table.ts names no adapter for ${file}`);
}
