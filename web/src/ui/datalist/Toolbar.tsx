import { ActionIcon, Button, Checkbox, CloseButton, Drawer, Menu, Select, Stack, Switch, TextInput, Tooltip } from '@mantine/core'
import { useDebouncedCallback } from '@mantine/hooks'
import { useState, type ReactNode } from 'react'

import { Icon, type IconName } from '../Icon'
import { useShared, useTexts } from '../i18n/useTexts'
import type { Search } from '../url'
import css from './datalist.module.css'
import { activeFilters, columnsWord, shownColumns, type Column, type Filter } from './logic'
import { listTexts } from './texts'
import { Views } from './Views'

type Change = (patch: Record<string, string | null>) => void
type Props<R> = {
  page: string
  search: Search
  change: Change
  filters: Filter[]
  columns: Column<R>[]
  narrow: boolean
  exportUrls?: { csv: string; xlsx: string }
  tools?: ReactNode
}

export function Toolbar<R>({ page, search, change, filters, columns, narrow, exportUrls, tools }: Props<R>) {
  const t = useTexts(listTexts)
  const s = useShared()
  const [drawer, setDrawer] = useState(false)
  const first = filters.find((filter) => filter.kind === 'text')
  const others = filters.filter((filter) => filter !== first)
  const active = activeFilters(search, others)
  const controls = others.map((filter) => <FilterControl key={filter.param} filter={filter} value={search[filter.param] ?? ''} change={change} wide={narrow} />)
  const clearAll = () => change(Object.fromEntries(filters.map((filter) => [filter.param, null])))
  return (
    <div className={css.toolbar} role="search">
      {first ? <TextFilter filter={first} value={search[first.param] ?? ''} change={change} className={css.search} icon /> : null}
      {narrow ? null : controls}
      {tools}
      {!narrow && active.length > 0 ? (
        <Button variant="subtle" size="sm" px="xs" onClick={clearAll}>
          {s('clearAll')}
        </Button>
      ) : null}
      <span className={css.spacer} />
      {narrow && others.length ? (
        <Button variant="default" leftSection={<Icon name="filter" size={16} />} onClick={() => setDrawer(true)}>
          {active.length ? t('filterCount', { count: active.length }) : s('filters')}
        </Button>
      ) : null}
      <Views page={page} search={search} filters={filters} change={change} />
      <ColumnMenu columns={columns} search={search} change={change} />
      {exportUrls ? (
        <Menu position="bottom-end">
          <Menu.Target>
            <ToolButton label={t('export')} icon="export" />
          </Menu.Target>
          <Menu.Dropdown>
            <Menu.Item component="a" href={exportUrls.csv} download>
              {t('exportCsv')}
            </Menu.Item>
            <Menu.Item component="a" href={exportUrls.xlsx} download>
              {t('exportXlsx')}
            </Menu.Item>
          </Menu.Dropdown>
        </Menu>
      ) : null}
      <Drawer opened={drawer} onClose={() => setDrawer(false)} title={s('filters')} position="bottom" size="auto" closeButtonProps={{ 'aria-label': s('close') }}>
        <Stack>
          {controls}
          <Button onClick={() => setDrawer(false)}>{s('done')}</Button>
          <Button variant="subtle" onClick={clearAll}>
            {s('clearAll')}
          </Button>
        </Stack>
      </Drawer>
    </div>
  )
}

export function ToolButton({ label, icon, ...rest }: { label: string; icon: IconName } & React.ComponentPropsWithRef<'button'>) {
  return (
    <Tooltip label={label}>
      <ActionIcon variant="default" size={36} aria-label={label} {...rest}>
        <Icon name={icon} size={17} />
      </ActionIcon>
    </Tooltip>
  )
}

function FilterControl({ filter, value, change, wide }: { filter: Filter; value: string; change: Change; wide: boolean }) {
  const s = useShared()
  const set = (next: string | null) => change({ [filter.param]: next || null })
  const width = wide ? '100%' : 160
  switch (filter.kind) {
    case 'choice':
      return (
        <Select
          aria-label={filter.label}
          label={wide ? filter.label : undefined}
          placeholder={filter.label}
          data={filter.options ?? []}
          value={value || null}
          onChange={set}
          w={width}
          searchable={(filter.options?.length ?? 0) > 8}
          clearable
          clearButtonProps={{ 'aria-label': s('clear'), 'aria-hidden': false, tabIndex: 0 }}
          data-testid={`filter-${filter.param}`}
        />
      )
    case 'date':
      return (
        <TextInput
          type="date"
          label={filter.label}
          value={value.slice(0, 10)}
          onChange={(event) => set(event.currentTarget.value && `${event.currentTarget.value}T00:00:00Z`)}
          w={width}
          data-testid={`filter-${filter.param}`}
        />
      )
    case 'flag':
      return <Switch label={filter.label} checked={value === 'true'} onChange={(event) => set(event.currentTarget.checked ? 'true' : null)} my={8} data-testid={`filter-${filter.param}`} />
    case 'text':
      return <TextFilter filter={filter} value={value} change={change} />
  }
}

/** Waits for a pause in typing before it asks the server. */
function TextFilter({ filter, value, change, className, icon }: { filter: Filter; value: string; change: Change; className?: string; icon?: boolean }) {
  const s = useShared()
  const [typed, setTyped] = useState(value)
  const [seen, setSeen] = useState(value)
  const [sent, setSent] = useState(value)
  if (value !== seen) {
    // The address changed: by a view, the back button, or by us. Our own echo must not undo what was typed since.
    setSeen(value)
    if (value !== sent) setTyped(value)
  }
  const tell = useDebouncedCallback((next: string) => {
    setSent(next.trim())
    change({ [filter.param]: next.trim() || null })
  }, 250)
  const set = (next: string) => {
    setTyped(next)
    tell(next)
  }
  return (
    <TextInput
      className={className}
      aria-label={filter.label}
      placeholder={filter.placeholder ?? filter.label}
      value={typed}
      onChange={(event) => set(event.currentTarget.value)}
      leftSection={icon ? <Icon name="search" size={16} /> : undefined}
      rightSection={typed ? <CloseButton size="sm" aria-label={s('clear')} onClick={() => set('')} /> : undefined}
      data-testid={`filter-${filter.param}`}
    />
  )
}

function ColumnMenu<R>({ columns, search, change }: { columns: Column<R>[]; search: Search; change: Change }) {
  const t = useTexts(listTexts)
  const shown = new Set(shownColumns(columns, search).map((column) => column.id))
  const toggle = (id: string) => {
    const next = new Set(shown)
    if (!next.delete(id)) next.add(id)
    change({ cols: next.size ? columnsWord(columns, next) : null })
  }
  return (
    <Menu closeOnItemClick={false} position="bottom-end">
      <Menu.Target>
        <ToolButton label={t('columns')} icon="columns" />
      </Menu.Target>
      <Menu.Dropdown>
        {columns.map((column) => (
          <Menu.Item key={column.id} role="menuitemcheckbox" aria-checked={shown.has(column.id)} onClick={() => toggle(column.id)} leftSection={<Checkbox.Indicator size="xs" checked={shown.has(column.id)} />}>
            {column.header}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  )
}
