import type { ReactNode } from 'react'

import css from './detail.module.css'

/** What is known about one thing, by name. Names without a value are left out. */
export function Facts({ facts }: { facts: [name: string, value: ReactNode][] }) {
  return (
    <dl className={css.facts}>
      {facts.map(([name, value]) =>
        value === null || value === undefined || value === '' ? null : (
          <div key={name} style={{ display: 'contents' }}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ),
      )}
    </dl>
  )
}

/** A headed card on a page of details. */
export function Panel({ title, id, children, actions, testId }: { title: string; id: string; children: ReactNode; actions?: ReactNode; testId?: string }) {
  return (
    <section className={`card ${css.panel}`} aria-labelledby={id} data-testid={testId}>
      <div style={{ display: 'flex', alignItems: 'center', justifyContent: 'space-between', gap: 12, marginBottom: 10, flexWrap: 'wrap' }}>
        <h2 id={id} style={{ margin: 0, fontSize: '1.125rem', lineHeight: 1.35, fontWeight: 650 }}>
          {title}
        </h2>
        {actions}
      </div>
      {children}
    </section>
  )
}
