import { Alert, Badge, Button, Checkbox, Group, Modal, NumberInput, Select, Stack, Text, VisuallyHidden } from '@mantine/core'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'

import { api, downloadUrl } from '../../../api/client'
import { useLiveInvalidate } from '../../../api/live'
import { useSites } from '../../../api/places'
import { useMay } from '../../../api/session'
import type { CountPlan, CountSheet, CountShelf, Page as Rows } from '../../../api/types'
import detail from '../../../ui/detail.module.css'
import { Panel } from '../../../ui/Facts'
import { Go } from '../../../ui/Go'
import { Icon } from '../../../ui/Icon'
import { useFormats, useShared, useTexts } from '../../../ui/i18n/useTexts'
import { notifyDone } from '../../../ui/notify'
import { When } from '../../../ui/numbers'
import { Page } from '../../../ui/Page'
import { Empty, Loading, Problem } from '../../../ui/states'
import { useUrl } from '../../../ui/url'
import { paths } from '../../../values/paths'
import { uuid7 } from '../../../values/uuid7'
import css from './counting.module.css'
import { GiveSheet } from './GiveSheet'
import { PolicyForm } from './PolicyForm'
import { planTexts } from './texts'

const NEXT = 50

/** A site's plan: what is due, whether the day's capacity holds, and the sheets handed out. */
export function PlanPage() {
  const t = useTexts(planTexts)
  const s = useShared()
  const may = useMay()
  const client = useQueryClient()
  const sites = useSites()
  const [search, change] = useUrl()
  const site = search.site_id ?? sites[0]?.id ?? ''
  const [settings, setSettings] = useState(false)
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set())
  const query = { site_id: site }
  const plan = useQuery({ queryKey: ['counting', 'plan', site], queryFn: () => api.get<CountPlan>('/v1/counting/plan', { query }), enabled: Boolean(site) })
  const bins = useQuery({ queryKey: ['counting', 'bins', site], queryFn: () => api.get<Rows<CountShelf>>('/v1/counting/bins', { query: { ...query, limit: NEXT } }), enabled: Boolean(site) })
  useLiveInvalidate(['count.changed', 'count.approved'], ['counting'])
  const refresh = () => client.invalidateQueries({ queryKey: ['counting'] })
  const make = useMutation({
    mutationFn: (places: string[] | null) => api.post<{ bins: number }>('/v1/count-sheets', { id: uuid7(), site_id: site, location_ids: places }),
    onSuccess: (made) => {
      notifyDone(t('sheetMade', { count: made.bins }))
      setChosen(new Set())
      return refresh()
    },
  })
  const mayWrite = may('counting:write', site)
  const found = plan.data
  return (
    <Page
      title={t('plan')}
      lead={t('planLead')}
      testId="page-count-plan"
      actions={
        <>
          {may('settings:write') ? (
            <Button variant="default" onClick={() => setSettings(true)} data-testid="settings">
              {t('settings')}
            </Button>
          ) : null}
          {mayWrite ? (
            <Button onClick={() => make.mutate(chosen.size ? [...chosen] : null)} loading={make.isPending} disabled={!chosen.size && !found?.bins_per_day} data-testid="make-sheet">
              {chosen.size ? t('selected', { count: chosen.size }) : t('makeSheet')}
            </Button>
          ) : null}
        </>
      }
    >
      <Group align="flex-end">
        <Select label={t('site')} data={sites.map((each) => ({ value: each.id, label: `${each.code} · ${each.name}` }))} value={site || null} onChange={(id) => id && change({ site_id: id })} allowDeselect={false} searchable w={280} />
        {may('stock:count', site) ? (
          <Button component={Go} href={paths.count()} variant="subtle" leftSection={<Icon name="barcode" />}>
            {t('toCount')}
          </Button>
        ) : null}
        {may('stock:approve', site) ? (
          <Button component={Go} href={paths.countReviews()} variant="subtle" leftSection={<Icon name="approve" />}>
            {t('toReviews')}
          </Button>
        ) : null}
      </Group>
      {make.error ? <Problem error={make.error} /> : null}
      {plan.isPending ? <Loading /> : null}
      {plan.error ? <Problem error={plan.error} retry={() => void plan.refetch()} /> : null}
      {found ? <Overview plan={found} mayWrite={mayWrite} refresh={refresh} /> : null}
      <div className={detail.columns}>
        <Next rows={bins.data?.data ?? []} site={site} mayWrite={mayWrite} chosen={chosen} choose={setChosen} loaded={bins.isSuccess} />
        <Stack>
          {found ? <Classes plan={found} mayWrite={mayWrite} /> : null}
          <Sheets site={site} />
        </Stack>
      </div>
      <Modal opened={settings} onClose={() => setSettings(false)} title={t('settings')} size="lg" closeButtonProps={{ 'aria-label': s('close') }}>
        <PolicyForm
          onDone={() => {
            setSettings(false)
            void refresh()
          }}
        />
      </Modal>
    </Page>
  )
}

function Overview({ plan, mayWrite, refresh }: { plan: CountPlan; mayWrite: boolean; refresh: () => Promise<unknown> }) {
  const t = useTexts(planTexts)
  const s = useShared()
  const [editing, setEditing] = useState(false)
  const most = Math.max(plan.bins_per_day, ...plan.days.map((day) => day.bins + day.left_over), 1)
  return (
    <>
      {plan.message && plan.bins ? (
        <Alert color="amber" icon={<Icon name="alert" />} title={t('tooMuch')} data-testid="too-much">
          {t('tooMuchText', { needed: plan.needed_per_day, capacity: plan.bins_per_day })}
        </Alert>
      ) : null}
      <div className={css.tiles}>
        <Tile name={t('overdue')} value={plan.overdue} tone={plan.overdue ? 'bad' : ''} note={t('ofBins', { count: plan.bins })} />
        <Tile name={t('due')} value={plan.due} />
        <Tile name={t('never')} value={plan.never} />
        <Tile name={t('counting')} value={plan.counting} />
        <Tile name={t('needed')} value={plan.needed_per_day} />
        <Tile name={t('capacity')} value={plan.bins_per_day} edit={mayWrite ? () => setEditing(true) : undefined} tone={plan.message && plan.bins ? 'warn' : ''} />
      </div>
      {plan.bins_per_day > 0 ? (
        <Panel title={t('ahead')} id="ahead">
          <div className={css.ahead} tabIndex={0} role="list" aria-label={t('ahead')}>
            {plan.days.map((day) => (
              <DayBar key={day.day} day={day.day} bins={day.bins} left={day.left_over} most={most} />
            ))}
          </div>
        </Panel>
      ) : null}
      <Modal opened={editing} onClose={() => setEditing(false)} title={t('capacity')} closeButtonProps={{ 'aria-label': s('close') }}>
        <CapacityForm
          plan={plan}
          onDone={() => {
            setEditing(false)
            void refresh()
          }}
        />
      </Modal>
    </>
  )
}

function DayBar({ day, bins, left, most }: { day: string; bins: number; left: number; most: number }) {
  const t = useTexts(planTexts)
  const formats = useFormats()
  const name = formats.date(`${day}T12:00:00Z`)
  return (
    <div className={css.bar} role="listitem" aria-label={`${name}: ${bins}${left ? `, ${t('leftOver', { count: left })}` : ''}`} title={left ? `${name}: ${t('leftOver', { count: left })}` : name}>
      <span className="num">{bins}</span>
      {left ? <span className={`${css.fill} ${css.late}`} style={{ height: `${(left / most) * 70}px` }} /> : null}
      <span className={css.fill} style={{ height: `${(bins / most) * 70}px` }} />
      <span className="num">{Number(day.slice(8))}</span>
    </div>
  )
}

function Tile({ name, value, note, tone = '', edit }: { name: string; value: number; note?: string; tone?: string; edit?: () => void }) {
  const formats = useFormats()
  return (
    <div className={`card ${css.tile}`}>
      <Text size="sm" c="dimmed">
        {name}
      </Text>
      <Group justify="space-between" align="baseline" wrap="nowrap">
        <span className={`num ${css.tileNumber} ${tone}`}>{formats.quantity(String(value))}</span>
        {edit ? (
          <Button variant="subtle" size="compact-sm" onClick={edit} aria-label={name} data-testid="edit-capacity">
            <Icon name="edit" size={16} />
          </Button>
        ) : null}
      </Group>
      {note ? (
        <Text size="xs" c="dimmed">
          {note}
        </Text>
      ) : null}
    </div>
  )
}

function CapacityForm({ plan, onDone }: { plan: CountPlan; onDone: () => void }) {
  const t = useTexts(planTexts)
  const [value, setValue] = useState<string | number>(plan.bins_per_day || plan.needed_per_day)
  const save = useMutation({ mutationFn: () => api.put('/v1/counting/sites/{site_id}', { bins_per_day: Number(value) }, { path: { site_id: plan.site_id } }), onSuccess: onDone })
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault()
        save.mutate()
      }}
    >
      <Stack>
        <NumberInput label={t('setCapacity')} description={`${t('needed')}: ${plan.needed_per_day}`} value={value} onChange={setValue} min={0} max={100_000} allowDecimal={false} data-autofocus data-testid="capacity" />
        {save.error ? <Problem error={save.error} /> : null}
        <Group justify="flex-end">
          <Button type="submit" loading={save.isPending} disabled={value === ''} data-testid="save-capacity">
            {t('save')}
          </Button>
        </Group>
      </Stack>
    </form>
  )
}

type NextProps = { rows: CountShelf[]; site: string; mayWrite: boolean; chosen: ReadonlySet<string>; choose: (ids: ReadonlySet<string>) => void; loaded: boolean }

function Next({ rows, site, mayWrite, chosen, choose, loaded }: NextProps) {
  const t = useTexts(planTexts)
  const toggle = (id: string) => {
    const next = new Set(chosen)
    if (!next.delete(id)) next.add(id)
    choose(next)
  }
  return (
    <Panel
      title={t('dueBins')}
      id="next"
      actions={
        <Button component="a" href={downloadUrl('/v1/counting/bins', { site_id: site, format: 'csv' })} download variant="subtle" size="compact-sm" leftSection={<Icon name="export" size={16} />}>
          {t('more')}
        </Button>
      }
    >
      {loaded && !rows.length ? <Empty title={t('noBins')}>{t('noBinsHint')}</Empty> : null}
      {rows.length ? (
        <div className={detail.scroll} tabIndex={0}>
          <table className={detail.rows} data-testid="next-bins">
            <thead>
              <tr>
                {mayWrite ? (
                  <th scope="col">
                    <VisuallyHidden>{t('makeSheet')}</VisuallyHidden>
                  </th>
                ) : null}
                <th scope="col">{t('place')}</th>
                <th scope="col">{t('class')}</th>
                <th scope="col">{t('lastCounted')}</th>
                <th scope="col">{t('dueOn')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.location_id}>
                  {mayWrite ? (
                    <td>
                      <Checkbox checked={chosen.has(row.location_id)} disabled={row.counting} onChange={() => toggle(row.location_id)} aria-label={t('choose', { place: row.location_path })} />
                    </td>
                  ) : null}
                  <td>
                    <Go href={paths.location(row.location_id)}>{row.location_path}</Go>
                  </td>
                  <td>
                    <CountClass value={row.count_class} />
                  </td>
                  <td>{row.counted_at ? <When at={row.counted_at} form="date" /> : <Text size="sm" c="dimmed" component="span">{t('never')}</Text>}</td>
                  <td>
                    <Due row={row} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : null}
    </Panel>
  )
}

function CountClass({ value }: { value: string }) {
  return <Badge variant={value === 'A' ? 'filled' : 'light'} color={value === 'C' ? 'gray' : undefined}>{value}</Badge>
}

function Due({ row }: { row: CountShelf }) {
  const t = useTexts(planTexts)
  if (row.counting) return <Badge color="gray">{t('counting')}</Badge>
  return (
    <Group gap={6} wrap="nowrap">
      {row.due_on ? <When at={`${row.due_on}T12:00:00Z`} form="date" /> : null}
      {row.overdue_days ? <span className="bad">{t('overdueBy', { count: row.overdue_days })}</span> : null}
      {row.planned_today ? <Badge>{t('planned')}</Badge> : null}
    </Group>
  )
}

function Classes({ plan, mayWrite }: { plan: CountPlan; mayWrite: boolean }) {
  const t = useTexts(planTexts)
  const classify = useMutation({ mutationFn: () => api.post('/v1/counting/classifications'), onSuccess: () => notifyDone(t('classified')) })
  return (
    <Panel
      title={t('class')}
      id="classes"
      actions={
        mayWrite ? (
          <Button variant="subtle" size="compact-sm" onClick={() => classify.mutate()} loading={classify.isPending}>
            {t('classify')}
          </Button>
        ) : undefined
      }
    >
      <div className={detail.scroll} tabIndex={0}>
        <table className={detail.rows} data-testid="classes">
          <thead>
            <tr>
              <th scope="col">{t('class')}</th>
              <th scope="col" className={detail.n}>{t('bins')}</th>
              <th scope="col" className={detail.n}>{t('days')}</th>
              <th scope="col" className={detail.n}>{t('overdue')}</th>
              <th scope="col" className={detail.n}>{t('needed')}</th>
            </tr>
          </thead>
          <tbody>
            {plan.classes.map((row) => (
              <tr key={row.count_class}>
                <th scope="row">
                  <CountClass value={row.count_class} />
                </th>
                <td className={`num ${detail.n}`}>{row.bins}</td>
                <td className={`num ${detail.n}`}>{row.days}</td>
                <td className={`num ${detail.n}${row.overdue ? ' bad' : ''}`}>{row.overdue}</td>
                <td className={`num ${detail.n}`}>{row.needed_per_day}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </Panel>
  )
}

function Sheets({ site }: { site: string }) {
  const t = useTexts(planTexts)
  const may = useMay()
  const mayGive = may('counting:write', site) && may('users:read')
  const [given, setGiven] = useState<CountSheet | null>(null)
  const mayCount = may('stock:count', site)
  const found = useQuery({ queryKey: ['counting', 'sheets', site], queryFn: () => api.get<Rows<CountSheet>>('/v1/count-sheets', { query: { site_id: site, limit: 8 } }), enabled: Boolean(site) && mayCount })
  if (!mayCount) return null
  const rows = found.data?.data ?? []
  return (
    <Panel title={t('sheets')} id="sheets">
      {rows.length ? (
        <div className={detail.scroll} tabIndex={0}>
          <table className={detail.rows} data-testid="sheets">
            <thead>
              <tr>
                <th scope="col">{t('sheets')}</th>
                <th scope="col" className={detail.n}>{t('todo')}</th>
                <th scope="col" className={detail.n}>{t('waiting')}</th>
                <th scope="col" className={detail.n}>{t('posted')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.id}>
                  <td>
                    {row.name}
                    <Text size="xs" c="dimmed">
                      {row.created_by.name}
                    </Text>
                    {mayGive && row.todo ? (
                      <Button variant="subtle" size="compact-sm" ml={-8} onClick={() => setGiven(row)} aria-label={t('whoOf', { name: row.name })} data-testid="who-counts">
                        {t('who')}
                      </Button>
                    ) : null}
                  </td>
                  <td className={`num ${detail.n}`}>{row.todo}</td>
                  <td className={`num ${detail.n}`}>{row.waiting}</td>
                  <td className={`num ${detail.n}`}>{row.posted}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <Text c="dimmed" size="sm">
          {t('noSheets')}
        </Text>
      )}
      {given ? <GiveSheet sheet={given} onClose={() => setGiven(null)} /> : null}
    </Panel>
  )
}
