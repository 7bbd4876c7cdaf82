/**
 * `protocol/content`: what people author and devices show. The gateway, the channels and the simulator never reach this
 * entry (a dependency rule checks it): they carry only what `protocol/carriage` allows.
 */
export { type Attachment, attachmentSchema, type Content, contentSchema } from './content.ts';
