/**
 * Consent: who asked an agent to stop writing over carriers, and took it back. Owns the table `suppression`; the app channel
 * is never asked about here, because it is left by revoking its device.
 */
export { type Consent, createConsent } from './consent.ts';
