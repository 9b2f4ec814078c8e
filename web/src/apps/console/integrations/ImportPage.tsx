import { Alert, Button, Group, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'

import { api, downloadUrl } from '../../../api/client'
import { useLiveInvalidate } from '../../../api/live'
import { useMay } from '../../../api/session'
import type { ImportDetail } from '../../../api/types'
import { listKey } from '../../../ui/datalist/useListData'
import table from '../../../ui/detail.module.css'
import { Panel } from '../../../ui/Facts'
import { Go } from '../../../ui/Go'
import { useFormats, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { JobProgress } from '../../../ui/JobProgress'
import { When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Loading, Problem } from '../../../ui/states'
import { paths } from '../../../values/paths'
import { ImportState } from './ImportState'
import css from './imports.module.css'
import { Mapping, type Run } from './Mapping'
import { importTexts } from './texts'

const BUSY = new Set(['queued', 'running'])

export function ImportPage() {
  const t = useTexts(importTexts)
  const kindWord = useWord(importTexts)
  const may = useMay()
  const client = useQueryClient()
  const { id = '' } = useParams({ strict: false })
  const key = ['import', id]
  const found = useQuery({
    queryKey: key,
    queryFn: () => api.get<ImportDetail>('/v1/imports/{id}', { path: { id } }),
    refetchInterval: (query) => (query.state.data && BUSY.has(query.state.data.state) ? 800 : false),
  })
  useLiveInvalidate(['job.changed'], key, 300)
  const run = useMutation({
    mutationFn: (wanted: Run) => api.post<ImportDetail>('/v1/imports/{id}/run', wanted, { path: { id } }),
    onSuccess: async (made) => {
      client.setQueryData(key, made)
      await Promise.all([client.invalidateQueries({ queryKey: listKey('/v1/imports') }), client.invalidateQueries({ queryKey: ['import-mappings'] })])
    },
  })
  const stop = useMutation({ mutationFn: (job: string) => api.post('/v1/jobs/{id}/cancel', {}, { path: { id: job } }), onSuccess: () => client.invalidateQueries({ queryKey: key }) })
  const it = found.data
  if (!it) return <Page title={t('title')}>{found.error ? <Problem error={found.error} retry={() => void found.refetch()} /> : <Loading />}</Page>
  const busy = BUSY.has(it.state)
  const imported = it.outcome === 'imported'
  return (
    <Page
      title={it.file_name}
      testId="page-import"
      lead={
        <Group gap="xs">
          <ImportState row={it} />
          <span>{kindWord(it.kind)}</span>
          <When at={it.created_at} />
        </Group>
      }
      actions={
        <>
          {it.job_id && may('jobs:read') ? (
            <Button component={Go} href={paths.job(it.job_id)} variant="default">
              {t('toJob')}
            </Button>
          ) : null}
          <Button component={Go} href={`${paths.imports()}?new=${it.kind}`} variant="default">
            {t('otherFile')}
          </Button>
        </>
      }
    >
      <div aria-live="polite">{busy ? null : <Outcome it={it} />}</div>
      {busy ? (
        <Panel
          title={t('running')}
          id="import-progress"
          actions={
            it.job_id && may('jobs:write') ? (
              <Button size="xs" variant="default" loading={stop.isPending} onClick={() => stop.mutate(it.job_id!)}>
                {t('stop')}
              </Button>
            ) : undefined
          }
        >
          <JobProgress progress={it.progress} state={it.state} label={t('running')} />
        </Panel>
      ) : null}
      {it.counts && !busy ? <Counts it={it} /> : null}
      {run.error ? <Problem error={run.error} /> : null}
      {it.errors.length && !busy ? <Errors it={it} /> : null}
      {imported || busy ? null : <Mapping it={it} pending={run.isPending} run={(wanted) => run.mutate(wanted)} />}
    </Page>
  )
}

function Outcome({ it }: { it: ImportDetail }) {
  const t = useTexts(importTexts)
  if (it.outcome === 'imported') return <Alert color="spruce" data-testid="outcome">{t('importedText')}</Alert>
  if (it.outcome === 'checked') return <Alert color="spruce" data-testid="outcome">{t('checkedText')}</Alert>
  if (it.outcome === 'refused' || it.error_count) return <Alert color="brick" data-testid="outcome">{t('refusedText', { count: it.error_count })}</Alert>
  if (it.state === 'cancelled') return <Alert color="gray" data-testid="outcome">{t('cancelledText')}</Alert>
  if (it.state === 'failed') {
    return (
      <Alert color="brick" title={t('failedText')} data-testid="outcome">
        {it.error}
      </Alert>
    )
  }
  return null
}

function Counts({ it }: { it: ImportDetail }) {
  const t = useTexts(importTexts)
  const formats = useFormats()
  const names = ['rows', 'created', 'updated', 'unchanged', 'failed'] as const
  return (
    <dl className={`card ${css.counts}`} data-testid="counts">
      {names.map((name) => (
        <div key={name}>
          <dt>{t(name)}</dt>
          <dd className={name === 'failed' && it.counts!.failed ? 'num bad' : 'num'}>{formats.count(it.counts![name])}</dd>
        </div>
      ))}
    </dl>
  )
}

function Errors({ it }: { it: ImportDetail }) {
  const t = useTexts(importTexts)
  const formats = useFormats()
  return (
    <Panel
      title={t('errors')}
      id="import-errors"
      actions={
        <Button component="a" href={downloadUrl(`/v1/imports/${it.id}/errors`, { format: 'csv' })} download size="xs" variant="default">
          {t('allErrors')}
        </Button>
      }
    >
      <div className={table.scroll} tabIndex={0} role="group" aria-label={t('errors')} style={{ maxHeight: 480 }}>
        <table className={`${table.rows} ${css.errors}`} data-testid="import-errors">
          <thead>
            <tr>
              <th scope="col" className={table.n}>{t('row')}</th>
              <th scope="col">{t('column')}</th>
              <th scope="col">{t('value')}</th>
              <th scope="col">{t('problem')}</th>
            </tr>
          </thead>
          <tbody>
            {it.errors.map((error, index) => (
              <tr key={index}>
                <td className={table.n}>{formats.count(error.row)}</td>
                <td>{error.header || error.column}</td>
                <td className="mono" style={{ overflowWrap: 'anywhere', minWidth: 70 }}>{error.value || '–'}</td>
                <td>
                  {error.message}
                  <Text size="sm" c="dimmed">
                    {error.remedy}
                  </Text>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {it.error_count > it.errors.length ? (
        <Text size="sm" c="dimmed" mt="xs">
          {t('moreErrors', { count: it.error_count - it.errors.length })}
        </Text>
      ) : null}
    </Panel>
  )
}
