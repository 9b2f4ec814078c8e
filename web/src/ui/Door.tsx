import { SegmentedControl, Text, Title } from '@mantine/core'
import { useEffect, type ReactNode } from 'react'

import type { Locale } from '../values/i18n'
import css from './Door.module.css'
import { useLanguage } from './i18n/useTexts'

const SHELF = [62, 40, 78, 55, 90, 34, 70, 48, 84, 58, 38, 66]

/** The frame of pages before login: our colour on one side, one task on the other. */
export function Door({ title, lead, slogan, wide, children, testId }: { title: string; lead?: ReactNode; slogan: string; wide?: boolean; children: ReactNode; testId?: string }) {
  const { locale, choose } = useLanguage()
  useEffect(() => {
    document.title = `${title} · Onhand`
  }, [title])
  return (
    <div className={css.door} data-testid={testId} style={wide ? { gridTemplateColumns: undefined } : undefined}>
      <header className={css.side}>
        <div className={css.brand}>
          <img src="/icon.svg" width={34} height={34} alt="" />
          Onhand
        </div>
        <p className={css.words}>{slogan}</p>
        <div className={css.shelf} aria-hidden="true">
          {SHELF.map((height, index) => (
            <i key={index} style={{ height: `${height}%` }} />
          ))}
        </div>
      </header>
      <main className={css.content}>
        <div className={css.tools}>
          <SegmentedControl size="xs" value={locale} onChange={(next) => choose(next as Locale)} data={[{ value: 'en', label: 'English' }, { value: 'de', label: 'Deutsch' }]} aria-label="Language / Sprache" />
        </div>
        <div className={`${css.form} ${wide ? css.wide : ''}`}>
          <Title order={1} mb={4}>
            {title}
          </Title>
          {lead ? (
            <Text c="dimmed" mb="lg" component="div">
              {lead}
            </Text>
          ) : null}
          {children}
        </div>
      </main>
    </div>
  )
}
