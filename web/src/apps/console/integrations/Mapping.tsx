import { ActionIcon, Alert, Badge, Button, Group, Select, Text, TextInput } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api } from '../../../api/client'
import type { ImportDetail, Page, SavedMapping } from '../../../api/types'
import table from '../../../ui/detail.module.css'
import { Panel } from '../../../ui/Facts'
import { Icon } from '../../../ui/Icon'
import { useTexts } from '../../../ui/i18n/useTexts'
import { Loading, Problem } from '../../../ui/states'
import css from './imports.module.css'
import { kindsQuery } from './kinds'
import { importTexts } from './texts'

export type Run = { mapping: Record<string, string>; dry_run: boolean; decimal_mark?: '.' | ','; save_mapping_as?: string }

/** Our columns beside theirs, guessed first; then a dry run, then the import. */
export function Mapping({ it, pending, run }: { it: ImportDetail; pending: boolean; run: (wanted: Run) => void }) {
  const t = useTexts(importTexts)
  const kinds = useQuery(kindsQuery)
  const [mapping, setMapping] = useState<Record<string, string>>(() => (Object.keys(it.mapping).length ? it.mapping : it.suggested_mapping))
  const [mark, setMark] = useState<string>(it.decimal_mark ?? '')
  const [keepAs, setKeepAs] = useState('')
  const kind = kinds.data?.find((each) => each.kind === it.kind)
  if (!kind) return kinds.error ? <Problem error={kinds.error} /> : <Loading />
  const named = new Set(kind.columns.map((column) => column.name))
  const known = kind.prefixes.length ? [...kind.columns, ...Object.keys(mapping).filter((name) => !named.has(name)).map((name) => ({ name, required: false, description: '', example: '', type: 'text' as const }))] : kind.columns
  const missing = kind.columns.filter((column) => column.required && !mapping[column.name]).map((column) => column.name)
  const set = (name: string, header: string | null) => {
    const next = { ...mapping }
    if (header) next[name] = header
    else delete next[name]
    setMapping(next)
  }
  const wanted = (dry_run: boolean): Run => ({
    mapping,
    dry_run,
    ...(mark === '.' || mark === ',' ? { decimal_mark: mark } : {}),
    ...(keepAs.trim() ? { save_mapping_as: keepAs.trim() } : {}),
  })
  const sample = (header: string | undefined) => {
    const at = header === undefined ? -1 : it.preview.headers.indexOf(header)
    return at < 0 ? '' : (it.preview.rows.find((row) => row[at])?.[at] ?? '')
  }
  const unchanged = JSON.stringify(mapping) === JSON.stringify(it.mapping) && mark === (it.decimal_mark ?? '')
  const ready = it.outcome === 'checked' && unchanged
  return (
    <>
      <Panel title={t('mapping')} id="import-mapping">
        <Text size="sm" c="dimmed" mb="sm">
          {t('mappingHint')}
        </Text>
        <Saved it={it} use={(saved) => (setMapping(Object.fromEntries(Object.entries(saved.mapping).filter(([, header]) => it.preview.headers.includes(header)))), setMark(saved.decimal_mark ?? ''))} />
        <div className={table.scroll}>
          <table className={`${table.rows} ${css.map}`} data-testid="mapping">
            <thead>
              <tr>
                <th scope="col">{t('ours')}</th>
                <th scope="col">{t('theirs')}</th>
                <th scope="col">{t('example')}</th>
              </tr>
            </thead>
            <tbody>
              {known.map((column) => (
                <tr key={column.name}>
                  <th scope="row" style={{ maxWidth: 420 }}>
                    <span className="mono">{column.name}</span> {column.required ? <Badge color={mapping[column.name] ? 'gray' : 'brick'}>{t('required')}</Badge> : null}
                    <Text size="xs" c="dimmed" fw={400}>
                      {column.description}
                    </Text>
                  </th>
                  <td style={{ minWidth: 170 }}>
                    <Select
                      aria-label={`${t('theirs')}: ${column.name}`}
                      placeholder={t('leaveOut')}
                      data={[...new Set(it.preview.headers.filter(Boolean))]}
                      value={mapping[column.name] ?? null}
                      onChange={(header) => set(column.name, header)}
                      clearable
                      searchable
                      size="sm"
                      clearButtonProps={{ 'aria-label': `${t('leaveOut')}: ${column.name}`, 'aria-hidden': false, tabIndex: 0, style: { minWidth: 24, minHeight: 24 } }}
                      data-testid={`map-${column.name}`}
                    />
                  </td>
                  <td className="mono">{sample(mapping[column.name]) || <span style={{ opacity: 0.75 }}>{column.example}</span>}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <Group align="flex-start" mt="md">
          <Select
            label={t('decimal')}
            data={[{ value: '', label: t('decimalAuto') }, { value: '.', label: t('decimalPoint') }, { value: ',', label: t('decimalComma') }]}
            value={mark}
            onChange={(next) => setMark(next ?? '')}
            allowDeselect={false}
            w={220}
          />
          <TextInput label={t('keepMapping')} description={t('keepHint')} inputWrapperOrder={['label', 'input', 'description']} value={keepAs} maxLength={100} onChange={(event) => setKeepAs(event.currentTarget.value)} w={260} data-testid="keep-mapping" />
        </Group>
        {missing.length ? <Alert color="amber" mt="md">{t('missing', { names: missing.join(', ') })}</Alert> : null}
        <Group mt="md">
          <Button variant={ready ? 'default' : 'filled'} disabled={missing.length > 0} loading={pending} onClick={() => run(wanted(true))} data-testid="import-check">
            {it.outcome ? t('checkAgain') : t('check')}
          </Button>
          {ready ? (
            <Button loading={pending} onClick={() => run(wanted(false))} data-testid="import-run">
              {it.counts ? t('run', { count: it.counts.rows }) : t('runAnyway')}
            </Button>
          ) : null}
        </Group>
      </Panel>
      <Preview it={it} />
    </>
  )
}

function Saved({ it, use }: { it: ImportDetail; use: (saved: SavedMapping) => void }) {
  const t = useTexts(importTexts)
  const client = useQueryClient()
  const [chosen, setChosen] = useState<string | null>(null)
  const key = ['import-mappings', it.kind]
  const found = useQuery({ queryKey: key, queryFn: () => api.get<Page<SavedMapping>>('/v1/import-mappings', { query: { kind: it.kind } }) })
  const remove = useMutation({ mutationFn: (id: string) => api.delete('/v1/import-mappings/{id}', { path: { id } }), onSuccess: () => (setChosen(null), client.invalidateQueries({ queryKey: key })) })
  const saved = found.data?.data ?? []
  if (!saved.length) return null
  const picked = saved.find((each) => each.id === chosen)
  return (
    <Group align="flex-end" mb="sm" gap="xs">
      <Select
        label={t('savedMapping')}
        data={saved.map((each) => ({ value: each.id, label: each.name }))}
        value={chosen}
        onChange={(id) => {
          setChosen(id)
          const mapping = saved.find((each) => each.id === id)
          if (mapping) use(mapping)
        }}
        w={260}
        data-testid="saved-mapping"
      />
      {picked ? (
        <ActionIcon variant="default" size={36} aria-label={t('deleteMapping', { name: picked.name })} loading={remove.isPending} onClick={() => remove.mutate(picked.id)}>
          <Icon name="close" size={16} />
        </ActionIcon>
      ) : null}
      {remove.error ? <Problem error={remove.error} /> : null}
    </Group>
  )
}

function Preview({ it }: { it: ImportDetail }) {
  const t = useTexts(importTexts)
  return (
    <Panel title={t('preview')} id="import-preview">
      <div className={table.scroll} tabIndex={0} role="group" aria-label={t('preview')}>
        <table className={table.rows}>
          <thead>
            <tr>
              {it.preview.headers.map((header, index) => (
                <th key={index} scope="col">
                  {header}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {it.preview.rows.slice(0, 8).map((row, index) => (
              <tr key={index}>
                {it.preview.headers.map((_, at) => (
                  <td key={at} style={{ whiteSpace: 'nowrap' }}>{row[at]}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}
