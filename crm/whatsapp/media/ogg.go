package media

import (
	"bufio"
	"encoding/binary"
	"io"
)

// oggInfo returns the Info of a recording in Ogg that is Opus and nothing else. Of a file
// that is cut off it tells what is there.
func oggInfo(s *source) Info {
	var r recording
	first := true
	err := readOgg(s.buffered(), func(start []byte, size int) bool {
		if r.head.raw == nil {
			head, ok := parseOpusHead(start)
			r.head = head
			return ok
		}
		if first { // the tags
			first = false
			return len(start) >= 8 && string(start[:8]) == "OpusTags"
		}
		if size == 0 {
			return true
		}
		_, ok := r.add(start, size)
		return ok
	})
	if err != nil {
		return Info{}
	}
	return r.info(Opus)
}

// readOgg calls packet for each packet of the file's only stream, with its first bytes and
// its size. It stops without an error where the file is cut off. The error is errFormat
// when packet returns false or the file is not Ogg.
func readOgg(r *bufio.Reader, packet func(start []byte, size int) bool) error {
	var start []byte
	size, serial := 0, uint32(0)
	for page := 0; ; page++ {
		var head [27]byte
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil
		}
		if string(head[:5]) != "OggS\x00" {
			return errFormat
		}
		if page == 0 {
			serial = binary.LittleEndian.Uint32(head[14:])
		} else if serial != binary.LittleEndian.Uint32(head[14:]) {
			return errFormat // a second stream, such as a picture
		}
		lacing := make([]byte, head[26])
		if _, err := io.ReadFull(r, lacing); err != nil {
			return nil
		}
		for _, n := range lacing {
			keep := min(int(n), max(0, oggStart-len(start)))
			part := make([]byte, keep)
			if _, err := io.ReadFull(r, part); err != nil {
				return nil
			}
			if _, err := r.Discard(int(n) - keep); err != nil {
				return nil
			}
			start, size = append(start, part...), size+int(n)
			if n == 255 {
				continue
			}
			if !packet(start, size) {
				return errFormat
			}
			start, size = start[:0], 0
		}
	}
}

// oggStart is how many bytes of a packet are looked at.
const oggStart = 32

// oggWriter writes an Opus recording as Ogg.
type oggWriter struct {
	w       io.Writer
	pages   uint32
	samples uint64
	lacing  []byte
	body    []byte
	err     error
}

const (
	oggSerial = 1
	oggFirst  = 2 // flags of a page
	oggLast   = 4
)

func newOggWriter(w io.Writer, head opusHead) *oggWriter {
	o := &oggWriter{w: w}
	o.put(head.raw)
	o.flush(oggFirst, 0)
	const vendor = "chatcast"
	tags := append([]byte("OpusTags"), byte(len(vendor)), 0, 0, 0)
	o.put(append(append(tags, vendor...), 0, 0, 0, 0))
	o.flush(0, 0)
	return o
}

// packet adds a packet of so many samples.
func (o *oggWriter) packet(b []byte, samples uint64) {
	if len(o.lacing)+len(b)/255+1 > 255 {
		o.flush(0, o.samples)
	}
	o.put(b)
	o.samples += samples
}

func (o *oggWriter) put(b []byte) {
	for range len(b) / 255 {
		o.lacing = append(o.lacing, 255)
	}
	o.lacing = append(o.lacing, byte(len(b)%255))
	o.body = append(o.body, b...)
}

// flush writes a page.
func (o *oggWriter) flush(flags byte, samples uint64) {
	head := make([]byte, 27, 27+len(o.lacing)+len(o.body))
	copy(head, "OggS")
	head[5] = flags
	binary.LittleEndian.PutUint64(head[6:], samples)
	binary.LittleEndian.PutUint32(head[14:], oggSerial)
	binary.LittleEndian.PutUint32(head[18:], o.pages)
	head[26] = byte(len(o.lacing))
	page := append(append(head, o.lacing...), o.body...)
	binary.LittleEndian.PutUint32(page[22:], oggSum(page))
	if o.err == nil {
		_, o.err = o.w.Write(page)
	}
	o.pages++
	o.lacing, o.body = o.lacing[:0], o.body[:0]
}

// close writes the last page.
func (o *oggWriter) close() error {
	o.flush(oggLast, o.samples)
	return o.err
}

// oggSum returns the checksum of a page. hash/crc32 has it only with reversed bits.
func oggSum(page []byte) (sum uint32) {
	for _, b := range page {
		sum = sum<<8 ^ oggTable[byte(sum>>24)^b]
	}
	return sum
}

var oggTable = func() (table [256]uint32) {
	for i := range table {
		sum := uint32(i) << 24
		for range 8 {
			if sum&(1<<31) != 0 {
				sum = sum<<1 ^ 0x04c11db7
			} else {
				sum <<= 1
			}
		}
		table[i] = sum
	}
	return table
}()
