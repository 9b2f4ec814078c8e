import { Alert, Button, Text } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useState, type ReactNode } from 'react'

import { api } from '../../../api/client'
import { useLive } from '../../../api/live'
import { useMay } from '../../../api/session'
import type { Integrity, Job, ServerState } from '../../../api/types'
import { TimeChart, type Series } from '../../../ui/chart/TimeChart'
import detail from '../../../ui/detail.module.css'
import { Facts, Panel } from '../../../ui/Facts'
import { Go } from '../../../ui/Go'
import { Icon } from '../../../ui/Icon'
import { useFormats, useTexts, useWord } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Loading, Problem } from '../../../ui/states'
import { paths } from '../../../values/paths'
import { uuid7 } from '../../../values/uuid7'
import { Backups } from './Backups'
import { useSize } from './size'
import css from './integrity.module.css'
import { integrityTexts } from './integrityTexts'

const KEY = ['integrity']
const REREAD_MS = 15_000

export function IntegrityPage() {
  const t = useTexts(integrityTexts)
  const may = useMay()
  const client = useQueryClient()
  const found = useQuery({ queryKey: KEY, queryFn: () => api.get<Integrity>('/v1/integrity'), refetchInterval: REREAD_MS })
  const server = useQuery({ queryKey: ['server'], queryFn: () => api.get<ServerState>('/v1/server'), refetchInterval: REREAD_MS, enabled: may('backups:read') })
  useLive(['job.changed', 'stock.drifted'], () => {
    for (const key of [KEY, ['server'], ['backups']]) void client.invalidateQueries({ queryKey: key })
  })
  const data = found.data
  if (!data) return <Page title={t('title')}>{found.error ? <Problem error={found.error} retry={() => void found.refetch()} /> : <Loading />}</Page>
  return (
    <Page title={t('title')} lead={t('lead')} testId="page-integrity">
      <Strip data={data} />
      {data.drift ? <Differences data={data} /> : null}
      <div className={detail.columns}>
        <div className={detail.stack}>
          <Week data={data} />
          <Verification data={data} />
          {server.data ? <Backups server={server.data} /> : null}
        </div>
        {server.data ? (
          <div className={detail.stack}>
            <Server server={server.data} />
            <Queue server={server.data} open={data.open_exceptions} />
          </div>
        ) : null}
      </div>
    </Page>
  )
}

function Strip({ data }: { data: Integrity }) {
  const t = useTexts(integrityTexts)
  const formats = useFormats()
  const now = useNow()
  const drift = data.drift
  const check = data.self_check
  const age = (at: string) => formats.ago(Math.max(0, now - Date.parse(at)))
  const last = data.last_verify
  return (
    <dl className={`card ${css.strip}`}>
      <Fact name={t('drift')} note={drift === null ? t('driftUnknown') : drift ? t('driftSome', { count: drift }) : t('driftNone')} testId="integrity-drift">
        <span className={drift === null ? undefined : drift ? 'bad' : 'good'}>{drift === null ? '–' : formats.count(drift)}</span>
      </Fact>
      <Fact name={t('checkedAgo')} note={check ? t('cells', { count: check.levels + check.site_levels }) : ''} testId="integrity-checked">
        {check ? age(check.at) : t('never')}
      </Fact>
      <Fact name={t('verified')} note={last ? t(last.ok ? 'verifiedOk' : 'verifiedBad') : ''} testId="integrity-verified">
        {last ? <span className={last.ok ? undefined : 'bad'}>{age(last.at)}</span> : t('never')}
      </Fact>
      <Fact name={t('head')} note={t('headNote')} testId="integrity-head">
        <span title={`${t('postings')} · ${t('events')}`}>
          {formats.quantity(data.head.posting_n)} · {formats.quantity(data.head.event_n)}
        </span>
      </Fact>
    </dl>
  )
}

function Fact({ name, note, children, testId }: { name: string; note: string; children: ReactNode; testId: string }) {
  return (
    <div className={css.fact}>
      <dt>{name}</dt>
      <dd>
        <div className={`num ${css.value}`} style={{ whiteSpace: 'normal' }} data-testid={testId}>
          {children}
        </div>
        <div className={css.note}>{note}</div>
      </dd>
    </div>
  )
}

/** The time, once a second: ages are shown. */
function useNow(): number {
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  return now
}

function Differences({ data }: { data: Integrity }) {
  const t = useTexts(integrityTexts)
  const seen = new Map<string, { table: string; row: string; column: string; expected: string; actual: string }>()
  for (const each of [...(data.self_check?.differences ?? []), ...(data.last_verify?.differences ?? [])]) {
    const row = { table: String(each.table), row: String(each.row), column: String(each.column), expected: String(each.expected), actual: String(each.actual) }
    seen.set(`${row.table} ${row.row} ${row.column}`, row)
  }
  return (
    <Alert color="brick" title={t('differences')} data-testid="integrity-differences">
      <div className={detail.scroll}>
        <table className={detail.rows}>
          <thead>
            <tr>
              <th>{t('where')}</th>
              <th className={detail.n}>{t('expected')}</th>
              <th className={detail.n}>{t('actual')}</th>
            </tr>
          </thead>
          <tbody>
            {[...seen.values()].slice(0, 50).map((each) => (
              <tr key={`${each.table} ${each.row} ${each.column}`}>
                <td>
                  <span className="mono">
                    {each.table}.{each.column}
                  </span>
                  <div className={`mono ${css.note}`}>{each.row}</div>
                </td>
                <td className={`num ${detail.n}`}>{each.expected}</td>
                <td className={`num ${detail.n}`}>{each.actual}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <Text size="sm" mt="sm">
        {t('remedy')}
      </Text>
    </Alert>
  )
}

const HOUR_MS = 3_600_000
const DAY_HOURS = 24

/** The hours checked, with those between in which nobody did, and at least a day of them. */
function everyHour(found: Integrity['hours']): { at: string; cells: number | null; drift: number | null }[] {
  const last = found.at(-1)
  const first = found[0]
  if (!last || !first) return []
  const end = Date.parse(last.at)
  const start = Math.min(Date.parse(first.at), end - (DAY_HOURS - 1) * HOUR_MS)
  const by = new Map(found.map((hour) => [Date.parse(hour.at), hour]))
  return Array.from({ length: Math.round((end - start) / HOUR_MS) + 1 }, (_, n) => {
    const hour = by.get(start + n * HOUR_MS)
    return { at: new Date(start + n * HOUR_MS).toISOString(), cells: hour?.cells ?? null, drift: hour?.drift ?? null }
  })
}

function Week({ data }: { data: Integrity }) {
  const t = useTexts(integrityTexts)
  const formats = useFormats()
  const hours = useMemo(() => everyHour(data.hours), [data.hours])
  const series = useMemo<Series[]>(
    () => [
      { name: t('compared'), kind: 'bar', tone: 'main', values: hours.map((hour) => (hour.cells === null ? null : String(hour.cells))), show: formats.quantity },
      { name: t('driftAxis'), kind: 'bar', tone: 'second', right: true, whole: true, values: hours.map((hour) => (hour.drift === null ? null : String(hour.drift))), show: formats.quantity },
    ],
    [hours, t, formats],
  )
  const at = useMemo(() => hours.map((hour) => hour.at), [hours])
  const axis = useCallback((iso: string) => formats.dateTime(iso), [formats])
  return (
    <Panel title={t('overTime')} id="integrity-week">
      {hours.length ? <TimeChart label={t('overTimeSummary')} height={180} at={at} axis={axis} tip={axis} series={series} /> : <Text c="dimmed" size="sm">{t('notChecked')}</Text>}
    </Panel>
  )
}

function Verification({ data }: { data: Integrity }) {
  const t = useTexts(integrityTexts)
  const word = useWord(integrityTexts)
  const formats = useFormats()
  const may = useMay()
  const client = useQueryClient()
  const start = useMutation({
    mutationFn: () => api.post<Job>('/v1/verifications', { id: uuid7() }),
    onSuccess: async () => {
      notifyDone(t('verifying'))
      await client.invalidateQueries({ queryKey: KEY })
    },
  })
  const last = data.last_verify
  return (
    <Panel
      title={t('verification')}
      id="integrity-verify"
      actions={
        may('jobs:write') ? (
          <Button variant="default" size="xs" leftSection={<Icon name="approve" size={16} />} loading={start.isPending} onClick={() => start.mutate()} data-testid="verify-now">
            {t('verifyNow')}
          </Button>
        ) : null
      }
    >
      {start.error ? <Problem error={start.error} /> : null}
      {last ? (
        <>
          <Facts
            facts={[
              [t('at'), <When key="a" at={last.at} />],
              [t('took'), last.took_ms < 1000 ? t('milliseconds', { n: formats.count(last.took_ms) }) : t('seconds', { n: formats.quantity((last.took_ms / 1000).toFixed(1)) })],
              [t('postings'), formats.count(last.postings)],
              [t('moves'), formats.count(last.moves)],
              [t('claims'), formats.count(last.claims)],
              [t('events'), formats.count(last.events)],
            ]}
          />
          <ul className={css.checks} aria-label={t('check')}>
            {Object.entries(last.checks).map(([name, count]) => (
              <li key={name} className={count ? 'bad' : undefined}>
                <span className={count ? 'bad' : 'good'}>
                  <Icon name={count ? 'alert' : 'check'} size={15} />
                </span>
                <span>
                  {word(name)}
                  {count ? ` · ${formats.count(count)}` : ''}
                </span>
              </li>
            ))}
          </ul>
        </>
      ) : (
        <Text c="dimmed" size="sm">
          {t('neverVerified')}
        </Text>
      )}
    </Panel>
  )
}

function Server({ server }: { server: ServerState }) {
  const t = useTexts(integrityTexts)
  const size = useSize()
  const { database, data_disk, backup_disk } = server
  const low = (disk: { free: number; total: number }) => disk.free < disk.total / 20
  return (
    <Panel title={t('server')} id="integrity-server" testId="integrity-server">
      <Facts
        facts={[
          [t('version'), server.version],
          [t('running'), <When key="r" at={server.started_at} />],
          [t('database'), t(database.kind === 'embedded' ? 'embedded' : 'ownServer', { version: database.version })],
          [t('databaseSize'), size(database.size)],
          [t('checksums'), <span key="c" className={database.checksums ? undefined : 'warn'}>{t(database.checksums ? 'on' : 'off')}</span>],
          [t('dataDisk'), <span key="d" className={low(data_disk) ? 'bad' : undefined}>{t('free', { free: size(data_disk.free), total: size(data_disk.total) })}</span>],
          [t('backupDisk'), backup_disk ? <span key="b" className={low(backup_disk) ? 'bad' : undefined}>{t('free', { free: size(backup_disk.free), total: size(backup_disk.total) })}</span> : null],
        ]}
      />
    </Panel>
  )
}

function Queue({ server, open }: { server: ServerState; open: number }) {
  const t = useTexts(integrityTexts)
  const formats = useFormats()
  const may = useMay()
  const { queue } = server
  return (
    <Panel
      title={t('queue')}
      id="integrity-queue"
      actions={
        may('jobs:read') ? (
          <Button component={Go} href={paths.jobs()} variant="subtle" size="xs">
            {t('toJobs')}
          </Button>
        ) : null
      }
    >
      <Facts
        facts={[
          [t('queued'), formats.count(queue.queued)],
          [t('runningJobs'), formats.count(queue.running)],
          [t('failedToday'), <span key="f" className={queue.failed_today ? 'warn' : undefined}>{formats.count(queue.failed_today)}</span>],
          [t('oldest'), queue.oldest_queued_at ? <When key="o" at={queue.oldest_queued_at} /> : null],
          [t('lane'), formats.count(server.lane_waiting)],
          [t('exceptions'), formats.count(open)],
        ]}
      />
    </Panel>
  )
}
