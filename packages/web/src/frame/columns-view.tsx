/**
 * The three columns: side by side where there is room, else one at a time behind tabs (WAI-ARIA Authoring Practices,
 * "Tabs"). What is not shown stays loaded, so a device goes on receiving while another tab is looked at.
 */
import { useMediaQuery } from '@mantine/hooks';
import { type KeyboardEvent, useRef, useState } from 'react';
import type { ColumnPlace } from './columns.ts';
import styles from './frame.module.css';

/** As in frame.module.css. */
const WIDE = '(min-width: 64rem)';

type ColumnId = ColumnPlace['id'];

export function ColumnsView({ columns }: { columns: readonly ColumnPlace[] }) {
  const wide = useMediaQuery(WIDE, true, { getInitialValueInEffect: false });
  const [selected, setSelected] = useState<ColumnId>('carrier');
  return (
    <div className={styles.columns}>
      {wide ? null : <Tabs columns={columns} selected={selected} onSelect={setSelected} />}
      {columns.map((column) => (
        <ColumnFrame key={column.id} column={column} wide={wide} hidden={!wide && column.id !== selected} />
      ))}
    </div>
  );
}

/** Arrows move and select; one tab stop for all of them. */
function Tabs(props: { columns: readonly ColumnPlace[]; selected: ColumnId; onSelect: (id: ColumnId) => void }) {
  const { columns, selected, onSelect } = props;
  const list = useRef<HTMLDivElement>(null);
  const move = (event: KeyboardEvent): void => {
    const at = columns.findIndex(({ id }) => id === selected);
    const to = targetOf(event.key, at, columns.length);
    const target = to === undefined ? undefined : columns[to];
    if (to === undefined || target === undefined) return;
    event.preventDefault();
    onSelect(target.id);
    list.current?.querySelectorAll<HTMLElement>('[role="tab"]')[to]?.focus();
  };
  return (
    <div role="tablist" aria-label="Columns" className={styles.tabs} ref={list} onKeyDown={move}>
      {columns.map(({ id, short }) => (
        <button
          key={id}
          type="button"
          role="tab"
          id={`tab-${id}`}
          aria-selected={id === selected}
          aria-controls={`column-${id}`}
          tabIndex={id === selected ? 0 : -1}
          className={styles.tab}
          onClick={() => onSelect(id)}
        >
          {short}
        </button>
      ))}
    </div>
  );
}

function targetOf(key: string, at: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowRight':
      return (at + 1) % count;
    case 'ArrowLeft':
      return (at - 1 + count) % count;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}

function ColumnFrame({ column, wide, hidden }: { column: ColumnPlace; wide: boolean; hidden: boolean }) {
  const { id, title, servedBy, url, src } = column;
  const role = wide ? { role: 'group', 'aria-label': title } : { role: 'tabpanel', 'aria-labelledby': `tab-${id}` };
  return (
    <div id={`column-${id}`} className={styles.column} hidden={hidden} {...role}>
      <p className={styles.origin}>
        <span>
          {new URL(url).host} · {servedBy}
        </span>
        <a className={styles.link} href={url} target="_blank" rel="noreferrer" aria-label={`Open alone: ${title}`}>
          Open alone
        </a>
      </p>
      {/* A new code is a new document: another fragment alone would not load it. */}
      <iframe key={src} className={styles.frame} src={src} title={title} />
    </div>
  );
}
