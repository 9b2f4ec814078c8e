import { Alert, Anchor, Title } from '@mantine/core'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useCallback, useEffect, useMemo, useRef, useState, type ReactNode } from 'react'

import { api } from '../../../api/client'
import { useLive } from '../../../api/live'
import { may, useMe } from '../../../api/session'
import type { Overview } from '../../../api/types'
import { Go } from '../../../ui/Go'
import { TimeChart, type Series } from '../../../ui/chart/TimeChart'
import { useFormats, useTexts } from '../../../ui/i18n/useTexts'
import { Page } from '../../../ui/Page'
import { Loading, Problem } from '../../../ui/states'
import { paths } from '../../../values/paths'
import { applyEvents } from './apply'
import { Gaps } from './Gaps'
import css from './insight.module.css'
import { Stores } from './Stores'
import { insightTexts } from './texts'
import { Ticker } from './Ticker'

const KEY = ['overview']
/** The stream moves the numbers; a full reading now and then keeps them honest. */
const REREAD_MS = 15_000

export function OverviewPage() {
  const t = useTexts(insightTexts)
  const formats = useFormats()
  const me = useMe()
  const client = useQueryClient()
  const overview = useQuery({ queryKey: KEY, queryFn: () => api.get<Overview>('/v1/overview'), refetchInterval: REREAD_MS })
  useLive(['sale.completed', 'stock.level_changed'], (events) => {
    client.setQueryData<Overview>(KEY, (before) => before && applyEvents(before, events))
  })
  const data = overview.data
  if (!data) return <Page title={t('title')}>{overview.error ? <Problem error={overview.error} retry={() => void overview.refetch()} /> : <Loading />}</Page>
  return (
    <Page title={t('title')} lead={t('lead', { organisation: me?.organisation?.name ?? '', time: formats.time(data.at) })} testId="page-overview">
      {me?.organisation?.setup_done === false && may(me, 'settings:write') ? (
        <Alert color="amber" p="xs">
          {t('resume')} <Go href={paths.setup()}>{t('resumeGo')}</Go>
        </Alert>
      ) : null}
      <Facts data={data} />
      <div className={css.two}>
        <Pace data={data} />
        <Ticker sales={data.recent_sales} />
      </div>
      <Stores sites={data.sites} />
      <div className={css.half}>
        <Gaps title={t('belowZero')} none={t('noneBelowZero')} rows={data.below_zero} all={paths.stock({ below: 'zero' })} testId="below-zero" />
        <Gaps title={t('belowMinimum')} none={t('noneBelowMinimum')} rows={data.below_minimum} all={paths.stock({ below: 'minimum' })} testId="below-minimum" showMinimum />
      </div>
    </Page>
  )
}

function Facts({ data }: { data: Overview }) {
  const t = useTexts(insightTexts)
  const formats = useFormats()
  const drift = data.drift
  return (
    <dl className={`card ${css.strip}`} style={{ margin: 0 }}>
      <Fact name={t('salesToday')} testId="fact-sales">
        {formats.count(data.today.sales)}
      </Fact>
      <Fact name={t('unitsToday')} testId="fact-units">
        {formats.count(data.today.units)}
      </Fact>
      <Fact name={t('revenueToday')} testId="fact-revenue">
        <span title={formats.money(data.today.revenue)}>{formats.moneyRound(data.today.revenue)}</span>
      </Fact>
      {data.stock_value ? (
        <Fact name={t('stockValue')} testId="fact-value">
          <span title={formats.money(data.stock_value)}>{formats.moneyRound(data.stock_value)}</span>
        </Fact>
      ) : null}
      <Fact name={t('openExceptions')} testId="fact-exceptions">
        <Anchor inherit component={Go} href={paths.exceptions()} c={data.open_exceptions ? 'var(--oh-warn)' : 'inherit'}>
          {formats.count(data.open_exceptions)}
        </Anchor>
      </Fact>
      <Fact name={t('drift')} note={t(drift === null ? 'driftUnknown' : drift ? 'driftSome' : 'driftNone')} testId="fact-drift">
        <Go href={paths.integrity()} className={`plain ${drift === null ? '' : drift ? 'bad' : 'good'}`}>
          {drift === null ? '–' : formats.count(drift)}
        </Go>
      </Fact>
    </dl>
  )
}

function Fact({ name, note, children, testId }: { name: string; note?: string; children: ReactNode; testId: string }) {
  return (
    <div className={css.fact}>
      <dt className={css.factName}>{name}</dt>
      <dd className={`num ${css.factValue}`} style={{ margin: 0, whiteSpace: 'normal' }} data-testid={testId} title={note}>
        {children}
      </dd>
    </div>
  )
}

function Pace({ data }: { data: Overview }) {
  const t = useTexts(insightTexts)
  const formats = useFormats()
  const currency = data.today.revenue.currency
  // Sales arrive several times a second; the picture is redrawn at most once a second.
  const minutes = useCalm(data.minutes, 1000)
  const at = useMemo(() => minutes.map((minute) => minute.at), [minutes])
  const series = useMemo<Series[]>(
    () => [
      { name: t('units'), kind: 'bar', tone: 'main', values: minutes.map((minute) => String(minute.units)), show: formats.quantity },
      { name: t('revenue'), kind: 'line', tone: 'second', right: true, values: minutes.map((minute) => minute.revenue), show: (amount) => formats.money({ amount, currency }) },
    ],
    [minutes, t, formats, currency],
  )
  const last = data.minutes.at(-1)
  const clock = useCallback((iso: string) => formats.clock(iso), [formats])
  return (
    <section className={`card ${css.panel}`} aria-labelledby="pace">
      <div className={css.panelHead}>
        <Title order={2} id="pace">
          {t('pace')}
        </Title>
        <div className={css.legend}>
          <span style={{ '--tone': 'var(--mantine-color-spruce-5)' } as React.CSSProperties}>{t('units')}</span>
          <span style={{ '--tone': 'var(--mantine-color-amber-5)' } as React.CSSProperties}>{t('revenue')}</span>
        </div>
      </div>
      <TimeChart
        label={last ? t('paceSummary', { units: formats.count(last.units), revenue: formats.money({ amount: last.revenue, currency }) }) : t('pace')}
        height={258}
        at={at}
        axis={clock}
        tip={clock}
        series={series}
      />
    </section>
  )
}

/** The value, but changing at most once in `ms`. */
function useCalm<T>(value: T, ms: number): T {
  const [calm, setCalm] = useState(value)
  const latest = useRef(value)
  useEffect(() => {
    latest.current = value
  })
  useEffect(() => {
    const timer = setInterval(() => setCalm(latest.current), ms)
    return () => clearInterval(timer)
  }, [ms, setCalm])
  return calm
}
