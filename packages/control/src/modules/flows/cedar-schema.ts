/**
 * What a policy may talk about: the Cedar schema, fixed in code so that a manifest can never widen it. Every attribute is
 * required: in Cedar a `forbid` on a missing attribute is skipped, and there must be none to miss.
 */
export const CEDAR_SCHEMA = `
entity Member;
entity Flow {
  agent: String,
  classification: String,
  classificationRank: Long,
  floor: String,
};
entity Application { flows: Set<Flow> };
entity AlertSender { flow: Flow, to: Member };
entity Approver;

type Sending = {
  to: Member,
  bytes: Long,
  facts: Long,
  attachments: Long,
  acknowledge: Bool,
};
action "send" appliesTo { principal: [Application, Approver], resource: [Flow], context: Sending };
action "send-alert" appliesTo { principal: [AlertSender], resource: [Flow], context: Sending };
`;
