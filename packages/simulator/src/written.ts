/** What a person writes on the phone, of their own accord or as an answer, and by which channel it leaves. */
export type Written =
  | { readonly channel: 'rcs'; readonly kind: 'text'; readonly text: string }
  /** A tap on a suggestion: its words, and the data the sender gave it. */
  | { readonly channel: 'rcs'; readonly kind: 'suggestion'; readonly text: string; readonly postbackData: string }
  /** The person ends or resumes the conversation in the messaging app. */
  | { readonly channel: 'rcs'; readonly kind: 'unsubscribe' | 'subscribe' }
  /** `to`: the number or short code it is written to. */
  | { readonly channel: 'sms'; readonly kind: 'text'; readonly text: string; readonly to: string };

export type WrittenOver<Channel extends Written['channel']> = Extract<Written, { readonly channel: Channel }>;
