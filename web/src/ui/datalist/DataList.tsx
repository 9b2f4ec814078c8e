import { ActionIcon, Button, Tooltip } from '@mantine/core'
import { useMediaQuery } from '@mantine/hooks'
import { useState, type ReactNode } from 'react'

import { downloadUrl } from '../../api/client'
import { Icon } from '../Icon'
import { useTexts } from '../i18n/useTexts'
import { Empty, Loading, Problem } from '../states'
import { useUrl, type Search } from '../url'
import { BulkEdit } from './BulkEdit'
import css from './datalist.module.css'
import { Grid } from './Grid'
import { activeFilters, listQuery, shownColumns, type Bulk, type Column, type Filter } from './logic'
import { listTexts } from './texts'
import { Toolbar } from './Toolbar'
import { useListData } from './useListData'

export type SelectionAction<R> = { id: string; label: string; run: (rows: R[], done: () => void) => void }

type Props<R> = {
  /** The name saved views are kept under: "catalog.variants". */
  page: string
  /** What is listed, for those who do not see the page: "Variants". */
  label: string
  /** The server's list, "/v1/variants": asked with the filters of the address and a cursor. */
  path: string
  columns: Column<R>[]
  filters?: Filter[]
  /** Always asked, never shown. */
  fixed?: Search
  rowId: (row: R) => string
  /** Click or Enter on a row; leave out when rows have no page. */
  onOpen?: (row: R) => void
  /** Stream messages after which the list is read again. */
  live?: readonly string[]
  bulk?: Bulk
  actions?: SelectionAction<R>[]
  /** What to say and offer when there is nothing at all. */
  empty?: ReactNode
  exportable?: boolean
  /** More controls beside the filters. */
  tools?: ReactNode
}

/** The one list: filters in the address, saved views, columns, sort, endless scrolling, bulk edit, export. */
export function DataList<R>(props: Props<R>) {
  const { page, label, path, columns, filters = [], fixed, rowId, onOpen, live, bulk, actions = [], empty, exportable = true, tools } = props
  const t = useTexts(listTexts)
  const [search, change] = useUrl()
  const narrow = useMediaQuery('(max-width: 48em)') ?? false
  const query = listQuery(search, filters, fixed)
  const data = useListData<R>(path, query, live)
  const shown = shownColumns(columns, search)
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set())
  const [editing, setEditing] = useState(false)
  const selectable = Boolean(bulk) || actions.length > 0
  const clear = () => setSelected(new Set())
  const chosen = data.rows.filter((row) => selected.has(rowId(row)))

  return (
    <section className={`card ${css.list}`} aria-label={label} data-testid={`list-${page}`}>
      <Toolbar
        page={page}
        search={search}
        change={change}
        filters={filters}
        columns={columns}
        narrow={narrow}
        tools={tools}
        exportUrls={exportable ? { csv: downloadUrl(path, { ...query, format: 'csv' }), xlsx: downloadUrl(path, { ...query, format: 'xlsx' }) } : undefined}
      />
      {data.error && !data.rows.length ? (
        <div style={{ padding: 16 }}>
          <Problem error={data.error} retry={() => void data.refetch()} />
        </div>
      ) : data.isPending ? (
        <Loading />
      ) : !data.rows.length ? (
        activeFilters(search, filters).length ? (
          <Empty title={t('noMatches')} icon="filter">
            {t('noMatchesHint')}
          </Empty>
        ) : (
          (empty ?? <Empty title={t('nothing')} />)
        )
      ) : (
        <Grid
          label={label}
          rows={data.rows}
          columns={shown}
          rowId={rowId}
          onOpen={onOpen}
          narrow={narrow}
          faded={data.isPlaceholderData}
          selection={selectable ? { selected, set: setSelected } : undefined}
          sort={{ by: search.sort, set: (sort) => change({ sort }) }}
          hasMore={data.hasNextPage}
          loadingMore={data.isFetchingNextPage}
          more={() => void data.fetchNextPage()}
        />
      )}
      {selected.size ? (
        <div className={`${css.foot} ${css.selection}`} role="region" aria-label={t('selected', { count: selected.size })}>
          <strong>{t('selected', { count: selected.size })}</strong>
          {bulk ? (
            <Button size="xs" onClick={() => setEditing(true)} data-testid="bulk-edit">
              {t('bulkEdit')}
            </Button>
          ) : null}
          {actions.map((action) => (
            <Button key={action.id} size="xs" variant="default" onClick={() => action.run(chosen, clear)}>
              {action.label}
            </Button>
          ))}
          <Tooltip label={t('clearSelection')}>
            <ActionIcon variant="subtle" color="gray" onClick={clear} aria-label={t('clearSelection')}>
              <Icon name="close" size={16} />
            </ActionIcon>
          </Tooltip>
        </div>
      ) : data.rows.length ? (
        <div className={css.foot}>
          <span role="status">{t(data.hasNextPage ? 'loadedMore' : 'loaded', { count: data.rows.length })}</span>
          {data.newer ? (
            <Button size="compact-xs" variant="light" onClick={data.refresh}>
              {t('newer')}
            </Button>
          ) : null}
        </div>
      ) : null}
      {bulk ? <BulkEdit bulk={bulk} ids={[...selected]} opened={editing} onClose={() => setEditing(false)} onDone={() => (clear(), void data.refetch())} /> : null}
    </section>
  )
}
