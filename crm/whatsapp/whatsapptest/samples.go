package whatsapptest

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"image"
	"image/jpeg"
	"math"
)

// These functions make files as people and their programs send them.

// Photo returns a JPEG of this size.
func Photo(width, height int) []byte {
	m := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = byte(i % 251)
	}
	var b bytes.Buffer
	if err := jpeg.Encode(&b, m, nil); err != nil {
		panic(err) // the size is over 65,535
	}
	return b.Bytes()
}

// StickerFile returns a WebP of one pixel.
func StickerFile() []byte {
	b, err := base64.StdEncoding.DecodeString("UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==")
	if err != nil {
		panic(err)
	}
	return b
}

// Film returns an MP4 of this size and duration, whose frames are noise.
func Film(width, height, seconds int) []byte {
	u32 := func(n ...uint32) (b []byte) {
		for _, x := range n {
			b = binary.BigEndian.AppendUint32(b, x)
		}
		return b
	}
	header := u32(0, 0, 0, 1000, uint32(seconds*1000))
	header = append(header, make([]byte, 80)...)
	track := u32(7, 0, 0, 1, 0, uint32(seconds*1000), 0, 0, 0, 0)
	track = append(track, u32(1<<16, 0, 0, 0, 1<<16, 0, 0, 0, 1<<30, uint32(width)<<16, uint32(height)<<16)...)
	kind := append(u32(0, 0), "vide"...)
	return bytes.Join([][]byte{
		box("ftyp", []byte("isom\x00\x00\x02\x00isommp41")),
		box("mdat", bytes.Repeat([]byte{0x5a}, 1000)),
		box("moov", box("mvhd", header), box("trak", box("tkhd", track), box("mdia", box("hdlr", kind, make([]byte, 13))))),
	}, nil)
}

func box(name string, parts ...[]byte) []byte {
	body := bytes.Join(parts, nil)
	b := binary.BigEndian.AppendUint32(nil, uint32(len(body)+8))
	return append(append(b, name...), body...)
}

// Recording returns a WebM with Opus of this duration, as a browser records it: without
// sizes of its outer elements. Its packets are longer in the middle, as of speech.
func Recording(seconds int) []byte {
	head := append([]byte("OpusHead\x01\x01\x38\x01"), 0x80, 0xbb, 0, 0, 0, 0, 0)
	track := ebml(0xae, ebml(0xd7, []byte{1}), ebml(0x83, []byte{2}), ebml(0x86, []byte("A_OPUS")), ebml(0x63a2, head),
		ebml(0xe1, ebml(0x9f, []byte{1})))
	out := bytes.Join([][]byte{
		ebml(0x1a45dfa3, ebml(0x4282, []byte("webm"))),
		{0x18, 0x53, 0x80, 0x67, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		ebml(0x1549a966, ebml(0x2ad7b1, []byte{0x0f, 0x42, 0x40})),
		ebml(0x1654ae6b, track),
	}, nil)
	packets := seconds * 50
	for i := range packets {
		if i%50 == 0 {
			out = append(out, 0x1f, 0x43, 0xb6, 0x75, 0x01, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)
			out = append(out, ebml(0xe7, []byte{byte(i >> 8), byte(i)})...)
		}
		size := 20 + int(300*math.Sin(math.Pi*float64(i)/float64(packets)))
		packet := bytes.Repeat([]byte{byte(i)}, size)
		packet[0] = 0xf8 // 20 ms
		out = append(out, ebml(0xa3, []byte{0x81, 0, byte(i % 50 * 20 & 0x7f), 0x80}, packet)...)
	}
	return out
}

// ebml returns an element with its size.
func ebml(id uint32, parts ...[]byte) []byte {
	b := bytes.TrimLeft(binary.BigEndian.AppendUint32(nil, id), "\x00")
	body := bytes.Join(parts, nil)
	b = binary.BigEndian.AppendUint32(b, uint32(len(body))|0x10000000)
	return append(b, body...)
}
