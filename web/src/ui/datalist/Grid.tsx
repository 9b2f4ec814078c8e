import { Checkbox } from '@mantine/core'
import { useVirtualizer } from '@tanstack/react-virtual'
import { useEffect, useRef, useState, type KeyboardEvent, type MouseEvent } from 'react'

import { Icon } from '../Icon'
import { useTexts } from '../i18n/useTexts'
import css from './datalist.module.css'
import { moveFocus, nextSort, toggleSelection, type Column } from './logic'
import { listTexts } from './texts'

type Props<R> = {
  label: string
  rows: R[]
  columns: Column<R>[]
  rowId: (row: R) => string
  onOpen?: (row: R) => void
  narrow: boolean
  faded: boolean
  selection?: { selected: ReadonlySet<string>; set: (next: ReadonlySet<string>) => void }
  sort: { by: string | undefined; set: (sort: string | null) => void }
  hasMore: boolean
  loadingMore: boolean
  more: () => void
}

const ROW = 44
const CARD = 96

/** Draws only the rows in sight, as a grid or (narrow) as cards. Arrows, Home, End, Page keys move; Enter opens; Space selects. */
export function Grid<R>(props: Props<R>) {
  const { label, rows, columns, rowId, onOpen, narrow, faded, selection, sort, hasMore, loadingMore, more } = props
  const t = useTexts(listTexts)
  const box = useRef<HTMLDivElement>(null)
  const [active, setActive] = useState(0)
  const anchor = useRef<number | null>(null)
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => (narrow ? CARD : ROW),
    overscan: 12,
    getItemKey: (index) => rowId(rows[index]!),
  })
  const items = virtual.getVirtualItems()
  const lastSeen = items.at(-1)?.index ?? 0
  useEffect(() => {
    if (hasMore && !loadingMore && lastSeen >= rows.length - 20) more()
  }, [hasMore, loadingMore, lastSeen, rows.length, more])
  useEffect(() => virtual.measure(), [narrow, virtual])

  const ids = () => rows.map(rowId)
  const select = (at: number, range: boolean) => {
    if (!selection) return
    selection.set(toggleSelection(selection.selected, ids(), at, range ? anchor.current : null))
    anchor.current = at
  }
  const go = (to: number) => {
    setActive(to)
    virtual.scrollToIndex(to)
    requestAnimationFrame(() => requestAnimationFrame(() => box.current?.querySelector<HTMLElement>(`[data-index="${to}"]`)?.focus()))
  }
  const onKey = (event: KeyboardEvent<HTMLElement>, at: number) => {
    if (event.target !== event.currentTarget || event.altKey || event.metaKey || event.ctrlKey) return
    const to = moveFocus(event.key, at, rows.length, 10)
    if (to !== null) go(to)
    else if (event.key === 'Enter' && onOpen) onOpen(rows[at]!)
    else if (event.key === ' ' && selection) select(at, event.shiftKey)
    else return
    event.preventDefault()
  }
  const onClick = (event: MouseEvent<HTMLElement>, at: number) => {
    setActive(at)
    if ((event.target as HTMLElement).closest('a, button, input, label')) return
    if (window.getSelection()?.toString()) return
    onOpen?.(rows[at]!)
  }

  const tracks = [...(selection ? ['28px'] : []), ...columns.map((column) => column.width ?? 'minmax(110px, 1fr)')].join(' ')
  const all = selection !== undefined && rows.length > 0 && rows.every((row) => selection.selected.has(rowId(row)))
  const current = Math.min(active, rows.length - 1)

  return (
    <div ref={box} className={css.scroll} data-testid="list-scroll">
      <div role="grid" aria-label={label} aria-rowcount={hasMore ? -1 : rows.length + 1} className={narrow ? undefined : css.grid}>
        <div role="rowgroup">
          <div role="row" aria-rowindex={1} className={css.head} style={{ gridTemplateColumns: narrow ? '1fr' : tracks, ...(narrow ? HIDDEN : {}) }}>
            {selection ? (
              <span role="columnheader">
                <Checkbox size="xs" checked={all} indeterminate={!all && selection.selected.size > 0} onChange={() => selection.set(new Set(all ? [] : ids()))} aria-label={t('selectAll')} tabIndex={narrow ? -1 : 0} />
              </span>
            ) : null}
            {columns.map((column) => (
              <HeaderCell key={column.id} column={column} sort={sort} title={t('sortBy', { name: column.header })} hidden={narrow} />
            ))}
          </div>
        </div>
        <div role="rowgroup" className={faded ? css.faded : undefined} style={{ height: virtual.getTotalSize(), position: 'relative' }}>
          {items.map((item) => {
            const row = rows[item.index]!
            const id = rowId(row)
            const on = selection?.selected.has(id) ?? false
            return (
              <div
                key={item.key}
                ref={narrow ? virtual.measureElement : undefined}
                data-index={item.index}
                data-row={id}
                role="row"
                aria-rowindex={item.index + 2}
                aria-selected={selection ? on : undefined}
                tabIndex={item.index === current ? 0 : -1}
                className={narrow ? css.card : css.row}
                data-open={onOpen ? true : undefined}
                style={{ transform: `translateY(${item.start}px)`, gridTemplateColumns: narrow ? undefined : tracks, height: narrow ? undefined : item.size }}
                onKeyDown={(event) => onKey(event, item.index)}
                onClick={(event) => onClick(event, item.index)}
              >
                {selection && !narrow ? (
                  <span role="gridcell">
                    <Checkbox size="xs" checked={on} onChange={() => {}} onClick={(event) => select(item.index, event.shiftKey)} aria-label={t('selectRow')} tabIndex={-1} />
                  </span>
                ) : null}
                {narrow ? <CardCells row={row} columns={columns} /> : columns.map((column) => (
                  <span key={column.id} role="gridcell" className={cellClass(column)}>
                    {column.cell(row)}
                  </span>
                ))}
              </div>
            )
          })}
        </div>
      </div>
    </div>
  )
}

const cellClass = <R,>(column: Column<R>) => [css.cell, column.align ? css.right : '', column.sticky ? css.sticky : ''].join(' ')

/** Out of sight, still read aloud: cards keep their column names. */
const HIDDEN = { position: 'absolute', width: 1, height: 1, minHeight: 0, padding: 0, overflow: 'hidden', clipPath: 'inset(50%)' } as const

function HeaderCell<R>({ column, sort, title, hidden }: { column: Column<R>; sort: Props<R>['sort']; title: string; hidden: boolean }) {
  const by = column.sort
  const way = by && sort.by === by ? 'ascending' : by && sort.by === `-${by}` ? 'descending' : undefined
  return (
    <span role="columnheader" aria-sort={way} className={cellClass(column)}>
      {by ? (
        <button type="button" className={`${css.sort} ${way ? css.sorted : ''}`} title={title} tabIndex={hidden ? -1 : 0} onClick={() => sort.set(nextSort(sort.by, by))}>
          {column.header}
          {way ? <Icon name={way === 'ascending' ? 'up' : 'down'} size={13} /> : null}
        </button>
      ) : (
        column.header
      )}
    </span>
  )
}

function CardCells<R>({ row, columns }: { row: R; columns: Column<R>[] }) {
  const titles = columns.filter((column) => column.narrow === 'title')
  const heads = titles.length ? titles : columns.slice(0, 1)
  const corners = columns.filter((column) => column.narrow === 'corner')
  const lines = columns.filter((column) => column.narrow === undefined && !heads.includes(column))
  return (
    <>
      <div className={css.cardHead}>
        <span className={css.cardTitle}>
          {heads.map((column) => (
            <span role="gridcell" key={column.id} style={{ display: 'block' }}>
              {column.cell(row)}
            </span>
          ))}
        </span>
        <span>
          {corners.map((column) => (
            <span role="gridcell" key={column.id}>
              {column.cell(row)}
            </span>
          ))}
        </span>
      </div>
      {lines.length ? (
        <div className={css.cardLines} role="presentation">
          {lines.map((column) => (
            <div role="gridcell" key={column.id} className={css.cell}>
              <span className={css.label}>{column.header}</span>
              {column.cell(row)}
            </div>
          ))}
        </div>
      ) : null}
    </>
  )
}
