/** `imessage-business` against a fake of Apple's gateway for messaging service providers. */
import { appleBusinessDefinition } from '@sealpost/simulator';
import { httpProvider } from './http-provider.ts';

const MSP = '5ab1e000-0000-4000-8000-0000000000f5';
const BUSINESS = 'a884eddf-0000-4000-8000-0000000000b5';
const SECRET = Buffer.from('thirty-two bytes of some secret!').toString('base64');

export const imessageBusiness = httpProvider({
  adapter: 'imessage-business',
  address: 'urn:mbid:AQAAY491751234567',
  files: { secret: SECRET },
  definition: () => appleBusinessDefinition({ mspId: MSP, businessId: BUSINESS, secret: SECRET }),
  settings: (url) => ({ base_url: `${url}/v1`, msp_id: MSP, business_id: BUSINESS, secret_file: 'secret' }),
  cannot: { 'oversized-after-effect': 'its success is its status: how much follows says nothing' },
});
