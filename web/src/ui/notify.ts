import { notifications } from '@mantine/notifications'

/** Short words about something that was done. */
export function notifyDone(message: string): void {
  notifications.show({ message, color: 'spruce', autoClose: 4000, withBorder: true })
}

export function notifyProblem(message: string): void {
  notifications.show({ message, color: 'brick', autoClose: 8000, withBorder: true })
}
