import { SegmentedControl, Title } from '@mantine/core'
import { useState, type CSSProperties } from 'react'

import type { OverviewSite } from '../../../api/types'
import { toPixels } from '../../../values/decimal'
import { paths } from '../../../values/paths'
import { Go } from '../../../ui/Go'
import { useFormats, useTexts } from '../../../ui/i18n/useTexts'
import css from './insight.module.css'
import { insightTexts } from './texts'

type By = 'revenue' | 'units' | 'gaps'

/** Five steps each with its own readable ink; the same in light and dark, as a heat map must be. */
const HEAT: Record<'calm' | 'gap', [string, string][]> = {
  calm: [
    ['#d8eae5', '#123f39'],
    ['#a9d0c6', '#0c332e'],
    ['#6fb0a2', '#06211d'],
    ['#267b6e', '#ffffff'],
    ['#0f4c45', '#ffffff'],
  ],
  gap: [
    ['#d8eae5', '#123f39'],
    ['#faeaca', '#4f3005'],
    ['#ecbb62', '#3b2404'],
    ['#c9761a', '#1c1002'],
    ['#982c20', '#ffffff'],
  ],
}

const measure = (site: OverviewSite, by: By) => (by === 'gaps' ? site.below_minimum + 3 * site.below_zero : by === 'units' ? site.units : toPixels(site.revenue.amount))

export function Stores({ sites: all }: { sites: OverviewSite[] }) {
  const t = useTexts(insightTexts)
  const formats = useFormats()
  const [by, setBy] = useState<By>('revenue')
  // A warehouse sells nothing; it has no place on a map of sales.
  const sites = all.filter((site) => site.kind !== 'warehouse' || site.sales > 0)
  const values = sites.map((site) => measure(site, by))
  const [low, high] = by === 'gaps' ? [0, Math.max(...values, 4)] : [Math.min(...values), Math.max(...values)]
  return (
    <section className={`card ${css.panel}`} aria-labelledby="stores">
      <div className={css.panelHead}>
        <Title order={2} id="stores">
          {t('stores')}
        </Title>
        <SegmentedControl
          size="xs"
          value={by}
          onChange={(next) => setBy(next as By)}
          aria-label={t('colourBy')}
          data={[
            { value: 'revenue', label: t('byRevenue') },
            { value: 'units', label: t('byUnits') },
            { value: 'gaps', label: t('byGaps') },
          ]}
        />
      </div>
      <div className={css.tiles} data-testid="stores">
        {sites.map((site, index) => {
          const share = high > low ? ((values[index] ?? 0) - low) / (high - low) : 0.5
          const [heat, ink] = HEAT[by === 'gaps' ? 'gap' : 'calm'][Math.min(4, Math.floor(share * 5))]!
          const gaps = site.below_zero ? t('zeros', { count: site.below_zero }) : site.below_minimum ? t('gaps', { count: site.below_minimum }) : ''
          return (
            <Go key={site.site_id} href={paths.sales({ site_id: site.site_id })} className={css.tile} style={{ '--heat': heat, '--ink': ink } as CSSProperties} data-testid={`store-${site.code}`}>
              {/* A new key restarts the ring of light at each sale. */}
              <span key={site.sales} className={css.ping} aria-hidden="true" />
              <span className={css.tileTop}>
                <strong>{site.code}</strong>
                <span className="clip">{site.name}</span>
              </span>
              <div className={`num ${css.tileValue}`}>{by === 'revenue' ? formats.moneyRound(site.revenue) : by === 'units' ? formats.count(site.units) : formats.count(site.below_minimum)}</div>
              <div className={`num ${css.tileFoot}`}>{t('salesCount', { count: site.sales })}</div>
              <div className={css.tileFoot}>{gaps || '\u00a0'}</div>
            </Go>
          )
        })}
      </div>
    </section>
  )
}
