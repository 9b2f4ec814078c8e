import { Tooltip } from '@mantine/core'
import { useEffect, useState } from 'react'

import { useStreamState } from '../../../api/live'
import { useFormats, useTexts } from '../../../ui/i18n/useTexts'
import css from './shell.module.css'
import { shellTexts } from './texts'

/** Is what I see still true? The connection and the age of the last message. */
export function LiveBadge() {
  const t = useTexts(shellTexts)
  const formats = useFormats()
  const { status, lastAt } = useStreamState()
  const [now, setNow] = useState(() => Date.now())
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000)
    return () => clearInterval(timer)
  }, [])
  const age = lastAt === null ? null : Math.max(0, now - lastAt)
  const words = t(status)
  return (
    <Tooltip label={age === null ? t('never') : t('liveAge', { age: formats.ago(age) })}>
      <span className={css.live} data-testid="live" data-status={status}>
        <span className={css.dot} data-status={status} aria-hidden="true" />
        <span role="status">{words}</span>
        {age !== null && (status !== 'live' || age > 5000) ? <span className="num">{formats.ago(age)}</span> : null}
      </span>
    </Tooltip>
  )
}
