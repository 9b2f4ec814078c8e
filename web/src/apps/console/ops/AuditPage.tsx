import { Drawer, Stack, Text } from '@mantine/core'
import { useState } from 'react'

import type { AuditRow } from '../../../api/types'
import { DataList } from '../../../ui/datalist/DataList'
import type { Column } from '../../../ui/datalist/logic'
import css from '../../../ui/detail.module.css'
import { Facts } from '../../../ui/Facts'
import { Go } from '../../../ui/Go'
import { useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { words } from '../../../ui/i18n/words'
import { When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Empty } from '../../../ui/states'
import { pathOf } from '../../../values/paths'
import { auditTexts } from './eventTexts'

const ENTITIES = ['user', 'role', 'api_key', 'session', 'organisation', 'product', 'variant', 'category', 'location', 'register', 'supplier', 'customer', 'tax_code', 'posting', 'sale', 'approval', 'exception', 'import', 'job', 'view'] as const
const OPENABLE = new Set(['variant', 'product', 'location', 'sale', 'posting'])

/** Who changed what, and each field before and after. */
export function AuditPage() {
  const t = useTexts(auditTexts)
  const s = useShared()
  const word = useWord(words)
  const [open, setOpen] = useState<AuditRow | null>(null)
  const columns: Column<AuditRow>[] = [
    { id: 'at', header: t('at'), width: '175px', cell: (row) => <When at={row.at} /> },
    { id: 'who', header: s('who'), width: 'minmax(120px, 1fr)', cell: (row) => row.actor.name },
    { id: 'action', header: t('action'), width: 'minmax(150px, 1fr)', narrow: 'title', cell: (row) => <span className="mono">{row.action}</span> },
    { id: 'entity', header: t('entity'), width: '130px', narrow: 'corner', cell: (row) => word(row.entity) },
    { id: 'changes', header: t('changes'), width: 'minmax(180px, 2fr)', cell: (row) => Object.keys(row.changes).join(', ') || '–' },
    { id: 'ip', header: t('ip'), width: '130px', hidden: true, cell: (row) => row.ip },
    { id: 'request', header: t('request'), width: 'minmax(160px, 1fr)', hidden: true, cell: (row) => <span className="mono">{row.request}</span> },
  ]
  return (
    <Page title={t('title')} lead={t('lead')} fill testId="page-audit">
      <DataList<AuditRow>
        page="ops.audit"
        label={t('title')}
        path="/v1/audit"
        columns={columns}
        filters={[
          { param: 'q', label: s('search'), kind: 'text', placeholder: t('searchHint') },
          { param: 'entity', label: t('kind'), kind: 'choice', options: ENTITIES.map((each) => ({ value: each, label: word(each) })) },
          { param: 'after', label: t('from'), kind: 'date' },
          { param: 'before', label: t('to'), kind: 'date' },
        ]}
        rowId={(row) => row.id}
        onOpen={setOpen}
        empty={<Empty title={t('none')} icon="audit" />}
      />
      <Drawer opened={open !== null} onClose={() => setOpen(null)} position="right" size="lg" title={t('entry')} closeButtonProps={{ 'aria-label': s('close') }}>
        {open ? <Entry row={open} /> : null}
      </Drawer>
    </Page>
  )
}

function Entry({ row }: { row: AuditRow }) {
  const t = useTexts(auditTexts)
  const s = useShared()
  const word = useWord(words)
  const changes = Object.entries(row.changes)
  return (
    <Stack data-testid="audit-entry">
      <Facts
        facts={[
          [t('at'), <When key="a" at={row.at} />],
          [s('who'), `${row.actor.name} (${word(row.actor.kind)})`],
          [t('action'), <span key="c" className="mono">{row.action}</span>],
          [t('entity'), <span key="e">{word(row.entity)} {OPENABLE.has(row.entity) ? <Go href={pathOf(row.entity, row.entity_id)}>{t('open')}</Go> : <span className="mono">{row.entity_id}</span>}</span>],
          [t('request'), <span key="q" className="mono">{row.request}</span>],
          [t('requestId'), <span key="i" className="mono">{row.request_id}</span>],
          [t('ip'), row.ip],
        ]}
      />
      {changes.length ? (
        <div className={css.scroll} tabIndex={0} role="group" aria-label={t('changes')}>
          <table className={css.rows} data-testid="audit-changes">
            <thead>
              <tr>
                <th scope="col">{t('field')}</th>
                <th scope="col">{t('before')}</th>
                <th scope="col">{t('after')}</th>
              </tr>
            </thead>
            <tbody>
              {changes.map(([name, [before, after]]) => (
                <tr key={name}>
                  <th scope="row">{name.replaceAll('_', ' ')}</th>
                  <td style={{ overflowWrap: 'anywhere' }}>{show(before)}</td>
                  <td style={{ overflowWrap: 'anywhere' }}>{show(after)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <Text size="sm" c="dimmed">{t('noFields')}</Text>
      )}
    </Stack>
  )
}

function show(value: unknown): string {
  if (value === null || value === undefined || value === '') return '–'
  if (Array.isArray(value) && value.every((each) => typeof each !== 'object')) return value.join(', ')
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
