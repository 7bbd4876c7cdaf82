/** One attachment. Nothing of it is shown or kept unless its size and digest agree with the message. */
import type { InboxAttachment } from '@sealpost/client';
import { useEffect, useState } from 'react';
import { Action } from '../design/action.tsx';
import { Problem } from '../design/problem.tsx';
import { Quiet } from '../design/text.tsx';
import { SHOWN_INLINE } from './enrolled.ts';
import styles from './messages.module.css';
import { sizeInWords } from './size-in-words.ts';
import type { AttachmentState } from './state.ts';

export function AttachmentView(props: {
  attachment: InboxAttachment;
  state: AttachmentState | undefined;
  load: () => void;
}) {
  const { attachment, state, load } = props;
  return (
    <figure className={styles.attachment}>
      {state?.kind === 'ready' ? <Opened attachment={attachment} bytes={state.bytes} /> : null}
      <figcaption className={styles.meta}>
        <span>{attachment.name}</span>
        <span>{sizeInWords(attachment.size)}</span>
        {state?.kind === 'ready' ? <span>size and digest agree with the message</span> : null}
      </figcaption>
      {state === undefined ? (
        <div>
          <Action onPress={load}>Fetch and check</Action>
        </div>
      ) : null}
      {state?.kind === 'loading' ? <Quiet>Fetching and checking.</Quiet> : null}
      {state?.kind === 'failed' ? (
        <Problem {...state.problem}>
          <Action onPress={load}>Try again</Action>
        </Problem>
      ) : null}
    </figure>
  );
}

/** Any other type is offered as a file: what a document could run would run in this origin, where the key is. */
function Opened({ attachment, bytes }: { attachment: InboxAttachment; bytes: Uint8Array<ArrayBuffer> }) {
  const { name, mediaType } = attachment;
  const image = mediaType === SHOWN_INLINE;
  const url = useObjectUrl(bytes, image ? SHOWN_INLINE : 'application/octet-stream');
  if (url === undefined) return null;
  if (image) return <img className={styles.image} src={url} alt={`Attachment ${name}`} />;
  return (
    <a className={styles.download} href={url} download={name}>
      Save {name}
    </a>
  );
}

function useObjectUrl(bytes: Uint8Array<ArrayBuffer>, type: string): string | undefined {
  const [url, setUrl] = useState<string>();
  useEffect(() => {
    const made = URL.createObjectURL(new Blob([bytes], { type }));
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [bytes, type]);
  return url;
}
