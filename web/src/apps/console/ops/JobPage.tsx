import { Button, Group, Stack, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useParams } from '@tanstack/react-router'

import { api } from '../../../api/client'
import { useLiveInvalidate } from '../../../api/live'
import { useMay } from '../../../api/session'
import type { Job } from '../../../api/types'
import { listKey } from '../../../ui/datalist/useListData'
import css from '../../../ui/detail.module.css'
import { Facts, Panel } from '../../../ui/Facts'
import { Go } from '../../../ui/Go'
import { Icon } from '../../../ui/Icon'
import { useFormats, useShared, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { JobProgress } from '../../../ui/JobProgress'
import { notifyDone } from '../../../ui/notify'
import { When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Loading, Problem } from '../../../ui/states'
import { paths } from '../../../values/paths'
import { JobState } from './JobState'
import { jobTexts } from './texts'

const BUSY = new Set(['queued', 'running'])

export function JobPage() {
  const t = useTexts(jobTexts)
  const s = useShared()
  const kind = useWord(jobTexts)
  const formats = useFormats()
  const may = useMay()
  const client = useQueryClient()
  const { id = '' } = useParams({ strict: false })
  const key = ['job', id]
  const found = useQuery({
    queryKey: key,
    queryFn: () => api.get<Job>('/v1/jobs/{id}', { path: { id } }),
    // Starts and ends come by the stream; how far it is must be asked for.
    refetchInterval: (query) => (query.state.data && BUSY.has(query.state.data.state) ? 1000 : false),
  })
  useLiveInvalidate(['job.changed'], key, 300)
  const act = useMutation({
    mutationFn: (verb: 'cancel' | 'retry') => api.post<Job>(`/v1/jobs/{id}/${verb}`, {}, { path: { id } }),
    onSuccess: async (job, verb) => {
      client.setQueryData(key, job)
      notifyDone(t(verb === 'cancel' ? 'cancelled' : 'retried'))
      await client.invalidateQueries({ queryKey: listKey('/v1/jobs') })
    },
  })
  const job = found.data
  if (!job) return <Page title={t('title')}>{found.error ? <Problem error={found.error} retry={() => void found.refetch()} /> : <Loading />}</Page>
  const can = may('jobs:write') ? job.can : []
  const importId = typeof job.result?.import_id === 'string' ? job.result.import_id : null
  return (
    <Page
      title={job.title}
      testId="page-job"
      lead={
        <Group gap="xs">
          <JobState job={job} />
          <span>{kind(job.kind)}</span>
        </Group>
      }
      actions={
        <>
          {importId && may('imports:write') ? (
            <Button component={Go} href={paths.import(importId)} variant="default">
              {t('openImport')}
            </Button>
          ) : null}
          {can.includes('cancel') ? (
            <Button variant="default" leftSection={<Icon name="close" size={16} />} loading={act.isPending} onClick={() => act.mutate('cancel')} data-testid="job-cancel">
              {t('cancel')}
            </Button>
          ) : null}
          {can.includes('retry') ? (
            <Button variant="default" leftSection={<Icon name="refresh" size={16} />} loading={act.isPending} onClick={() => act.mutate('retry')} data-testid="job-retry">
              {t('retry')}
            </Button>
          ) : null}
        </>
      }
    >
      {act.error ? <Problem error={act.error} /> : null}
      <div className={css.columns}>
        <div className={css.stack}>
          <Panel title={t('progress')} id="job-progress">
            <div aria-live="polite">
              <JobProgress progress={job.progress} state={job.state} label={job.title} />
            </div>
            {job.error ? (
              <Text className="bad" mt="sm" style={{ whiteSpace: 'pre-wrap', overflowWrap: 'anywhere' }}>
                {t('error')}: {job.error}
              </Text>
            ) : null}
          </Panel>
          <Panel title={t('result')} id="job-result">
            {job.result && Object.keys(job.result).length ? <Result value={job.result} /> : <Text c="dimmed" size="sm">{t('noResult')}</Text>}
          </Panel>
        </div>
        <Panel title={t('about')} id="job-about">
          <Facts
            facts={[
              [s('kind'), kind(job.kind)],
              [t('by'), job.created_by.name],
              [t('created'), <When key="c" at={job.created_at} />],
              [t('started'), job.started_at ? <When key="s" at={job.started_at} /> : null],
              [t('finished'), job.finished_at ? <When key="f" at={job.finished_at} /> : null],
              [t('attempts'), formats.count(job.attempts)],
              ['Id', <span key="i" className="mono">{job.id}</span>],
            ]}
          />
        </Panel>
      </div>
    </Page>
  )
}

/** What a job left behind: plain facts where they are plain, the rest as it is. */
function Result({ value }: { value: Record<string, unknown> }) {
  const formats = useFormats()
  const plain = (each: unknown) => (typeof each === 'number' ? formats.count(each) : typeof each === 'boolean' || typeof each === 'string' ? String(each) : null)
  const entries = Object.entries(value).flatMap(([name, each]): [string, unknown][] => (each && typeof each === 'object' && !Array.isArray(each) ? Object.entries(each).map(([inner, it]) => [name === 'counts' ? inner : `${name}.${inner}`, it] as [string, unknown]) : [[name, each]]))
  const shown = entries.filter(([name, each]) => name !== 'import_id' && plain(each) !== null)
  const rest = entries.filter(([, each]) => each !== null && plain(each) === null)
  return (
    <Stack gap="sm">
      <Facts facts={shown.map(([name, each]) => [name.replaceAll('_', ' '), plain(each)])} />
      {rest.length ? (
        <pre className={css.code} tabIndex={0}>
          {JSON.stringify(Object.fromEntries(rest), null, 2)}
        </pre>
      ) : null}
    </Stack>
  )
}
