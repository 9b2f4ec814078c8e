import { Title } from '@mantine/core'

import type { RecentSale } from '../../../api/types'
import { Go } from '../../../ui/Go'
import { useTexts } from '../../../ui/i18n/useTexts'
import { MoneyText, When } from '../../../ui/numbers'
import { paths } from '../../../values/paths'
import css from './insight.module.css'
import { insightTexts } from './texts'

const SHOWN = 9

/** The newest sales, newest on top. Not read aloud by itself: it would never stop. */
export function Ticker({ sales }: { sales: RecentSale[] }) {
  const t = useTexts(insightTexts)
  return (
    <section className={`card ${css.panel}`} aria-labelledby="ticker">
      <div className={css.panelHead}>
        <Title order={2} id="ticker">
          {t('ticker')}
        </Title>
      </div>
      {sales.length ? (
        <ol className={css.ticker} data-testid="ticker">
          {sales.slice(0, SHOWN).map((sale) => (
            <li key={sale.id} className={`${css.sale} arrive`} data-sale={sale.id}>
              <strong>{sale.site_code}</strong>
              <Go className="plain clip" href={paths.sale(sale.id)}>
                <When at={sale.happened_at} form="clock" /> <span className={css.what}>{sale.lines?.length ? sale.lines.map((line) => line.name).join(', ') : t('items', { count: sale.line_count ?? sale.units })}</span>
              </Go>
              <MoneyText value={{ amount: sale.total, currency: sale.currency }} />
            </li>
          ))}
        </ol>
      ) : (
        <p className={css.what}>{t('noSales')}</p>
      )}
    </section>
  )
}
