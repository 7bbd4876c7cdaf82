/**
 * The contract of `sms-smpp` against two SMSCs: the simulator's, which shares our codec, and Debian's Net::SMPP, which
 * does not.
 */
import { describeContract } from './contract.ts';
import { smsSmpp, smsSmppPeer } from './providers/sms-smpp.ts';

describeContract(smsSmpp);
describeContract(smsSmppPeer);
