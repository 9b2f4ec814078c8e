import { notifications } from '@mantine/notifications'

import { nearest } from '../values/i18n'
import { shared } from './i18n/texts'

const show = (message: string, color: string, autoClose: number) => {
  const close = shared[nearest(document.documentElement.lang)].close as string
  notifications.show({ message, color, autoClose, withBorder: true, closeButtonProps: { 'aria-label': close } })
}

/** Short words about something that was done. */
export function notifyDone(message: string): void {
  show(message, 'spruce', 4000)
}

export function notifyProblem(message: string): void {
  show(message, 'brick', 8000)
}
