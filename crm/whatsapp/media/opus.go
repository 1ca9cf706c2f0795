package media

import (
	"bytes"
	"encoding/binary"
)

const (
	opusRate    = 48_000 // samples a second
	maxPackets  = 1 << 20
	maxPacket   = 255*255 - 1 // bytes, what fits into a page of Ogg; sound has at most some 61,300
	waveformLen = 64
)

// recording adds up the packets of an Opus recording.
type recording struct {
	samples uint64
	sizes   []uint16 // of the packets: of speech they grow with the loudness
	head    opusHead
}

// opusHead is the first packet of an Opus recording in Ogg, and the private data of its
// track in WebM.
type opusHead struct {
	raw      []byte
	channels int
	skip     uint64 // samples at the beginning that are not heard
}

var opusMagic = []byte("OpusHead")

// parseOpusHead returns false for anything but the head of one or two channels.
func parseOpusHead(b []byte) (opusHead, bool) {
	if len(b) < 19 || !bytes.HasPrefix(b, opusMagic) || b[8] > 15 || b[9] < 1 || b[9] > 2 || b[18] != 0 {
		return opusHead{}, false
	}
	return opusHead{raw: bytes.Clone(b[:19]), channels: int(b[9]), skip: uint64(binary.LittleEndian.Uint16(b[10:]))}, true
}

// add adds a packet of so many bytes, of which start holds the first two, and returns its
// samples. It returns false for a packet that is not Opus.
func (r *recording) add(start []byte, size int) (samples uint64, ok bool) {
	samples = opusSamples(start, size)
	if samples == 0 || size > maxPacket || len(r.sizes) >= maxPackets {
		return 0, false
	}
	r.samples += samples
	r.sizes = append(r.sizes, uint16(size))
	return samples, true
}

// opusSamples returns the length of a packet in samples, or 0 when it is not Opus.
func opusSamples(start []byte, size int) uint64 {
	if size < 1 || len(start) < 1 {
		return 0
	}
	config, frames := start[0]>>3, uint64(1)
	switch start[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if size < 2 || len(start) < 2 {
			return 0
		}
		frames = uint64(start[1] & 0x3f)
	}
	var frame uint64
	switch {
	case config < 12:
		frame = [...]uint64{480, 960, 1920, 2880}[config&3]
	case config < 16:
		frame = [...]uint64{480, 960}[config&1]
	default:
		frame = 120 << (config & 3)
	}
	if frames*frame > 5760 { // 120 ms, the most that a packet may have
		return 0
	}
	return frames * frame
}

// info returns what is known of the recording, under a type. Without sound there is none.
func (r *recording) info(typ string) Info {
	if r.samples <= r.head.skip {
		return Info{}
	}
	heard := r.samples - r.head.skip
	return Info{Type: typ, Seconds: sensible((heard + opusRate - 1) / opusRate), Waveform: r.waveform()}
}

// waveform returns the loudness over time. It takes the size of the packets for it: the
// encoders of voice messages spend more bytes on speech than on silence. Decoding would
// cost a hundred times more, for a drawing of 64 bars.
func (r *recording) waveform() []byte {
	var bars [waveformLen]uint64
	low, high := ^uint64(0), uint64(0)
	for i := range bars {
		from := i * len(r.sizes) / waveformLen
		to := max((i+1)*len(r.sizes)/waveformLen, from+1)
		for _, size := range r.sizes[from:to] {
			bars[i] += uint64(size)
		}
		bars[i] /= uint64(to - from)
		low, high = min(low, bars[i]), max(high, bars[i])
	}
	wave := make([]byte, waveformLen)
	for i, bar := range bars {
		wave[i] = 50
		if high > low {
			wave[i] = byte((bar - low) * 100 / (high - low))
		}
	}
	return wave
}
