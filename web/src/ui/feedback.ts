/** A sound and a buzz for hands that do not look at the screen: high = right, low and long = wrong. */
let audio: AudioContext | null = null

export function signal(kind: 'ok' | 'wrong'): void {
  try {
    audio ??= new AudioContext()
    const tone = audio.createOscillator()
    const volume = audio.createGain()
    tone.frequency.value = kind === 'ok' ? 1250 : 220
    tone.type = kind === 'ok' ? 'sine' : 'square'
    const length = kind === 'ok' ? 0.08 : 0.35
    volume.gain.setValueAtTime(0.08, audio.currentTime)
    volume.gain.exponentialRampToValueAtTime(0.0001, audio.currentTime + length)
    tone.connect(volume).connect(audio.destination)
    tone.start()
    tone.stop(audio.currentTime + length)
    navigator.vibrate?.(kind === 'ok' ? 30 : [80, 60, 80])
  } catch {
    // No sound on this device.
  }
}
