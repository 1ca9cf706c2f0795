package whatsapptest

import (
	"crypto/cipher"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"go.mau.fi/libsignal/ecc"
	"go.mau.fi/whatsmeow/proto/waCert"
	"go.mau.fi/whatsmeow/proto/waWa6"
	"go.mau.fi/whatsmeow/socket"
	"go.mau.fi/whatsmeow/util/gcmutil"
	"go.mau.fi/whatsmeow/util/hkdfutil"
	"go.mau.fi/whatsmeow/util/keys"
	"golang.org/x/crypto/curve25519"
	"google.golang.org/protobuf/proto"
)

// The server's half of Noise_XX_25519_AESGCM_SHA256.
//
//	client                                     server
//	  "WA" 6 3, e                    ------>
//	                                 <------   e, ee, s, es, certificate chain
//	  s, se, client payload          ------>
//	  frames under the one key       ------>
//	                                 <------   frames under the other
//
// The chain is root, intermediate, leaf. The leaf certifies the server's static
// key. Clients know WhatsApp's root, which is not ours, so they must be given ours
// (TrustRoot).

// authority is the root and the certificates that it signed.
type authority struct {
	root, static *keys.KeyPair
	chain        atomic.Pointer[[]byte]
}

// newAuthority derives the root from the seed, so that processes can agree on one
// without communicating. With a zero seed the root is random.
func newAuthority(seed [32]byte) (*authority, error) {
	a := &authority{root: keys.NewKeyPair(), static: keys.NewKeyPair()}
	if seed != [32]byte{} {
		a.root = keys.NewKeyPairFromPrivateKey(clamp(sha256.Sum256(seed[:])))
	}
	now := time.Now()
	return a, a.certify(now.Add(-time.Hour), now.Add(365*24*time.Hour))
}

// certify makes the chain, of certificates that are valid between the two times.
func (a *authority) certify(from, until time.Time) error {
	middle := keys.NewKeyPair()
	const serial = 1
	intermediate, err := certificate(a.root, middle, serial, 0, from, until) // the root's serial is 0: whatsmeow.WACertIssuerSerial
	if err != nil {
		return err
	}
	leaf, err := certificate(middle, a.static, serial+1, serial, from, until)
	if err != nil {
		return err
	}
	chain, err := proto.Marshal(&waCert.CertChain{Leaf: leaf, Intermediate: intermediate})
	a.chain.Store(&chain)
	return err
}

// Certify gives the server certificates that are valid between the two times. Clients
// that connect from now on see them.
func (s *Server) Certify(from, until time.Time) error { return s.noise.certify(from, until) }

func clamp(k [32]byte) [32]byte {
	k[0] &= 248
	k[31] = k[31]&127 | 64
	return k
}

func certificate(issuer, subject *keys.KeyPair, serial, issuerSerial uint32, from, until time.Time) (*waCert.CertChain_NoiseCertificate, error) {
	details, err := proto.Marshal(&waCert.CertChain_NoiseCertificate_Details{
		Serial: &serial, IssuerSerial: &issuerSerial, Key: subject.Pub[:],
		NotBefore: proto.Uint64(uint64(from.Unix())), NotAfter: proto.Uint64(uint64(until.Unix())),
	})
	if err != nil {
		return nil, err
	}
	signature := ecc.CalculateSignature(ecc.NewDjbECPrivateKey(*issuer.Priv), details)
	return &waCert.CertChain_NoiseCertificate{Details: details, Signature: signature[:]}, nil
}

// handshake is the symmetric state during the handshake.
type handshake struct {
	hash, salt []byte
	key        cipher.AEAD
	counter    uint32
}

func newHandshake() (*handshake, error) {
	h := &handshake{hash: []byte(socket.NoiseStartPattern), salt: []byte(socket.NoiseStartPattern)}
	var err error
	h.key, err = gcmutil.Prepare(h.hash)
	h.authenticate(socket.WAConnHeader)
	return h, err
}

func (h *handshake) authenticate(data []byte) {
	sum := sha256.Sum256(append(h.hash[:len(h.hash):len(h.hash)], data...))
	h.hash = sum[:]
}

// mix mixes a shared secret of two keys into the state.
func (h *handshake) mix(private *[32]byte, public []byte) error {
	secret, err := curve25519.X25519(private[:], public)
	if err != nil {
		return err
	}
	expanded := hkdfutil.SHA256(secret, h.salt, nil, 64)
	h.salt, h.counter = expanded[:32], 0
	h.key, err = gcmutil.Prepare(expanded[32:])
	return err
}

func (h *handshake) encrypt(plain []byte) []byte {
	sealed := h.key.Seal(nil, nonce(h.counter), plain, h.hash)
	h.counter++
	h.authenticate(sealed)
	return sealed
}

func (h *handshake) decrypt(sealed []byte) ([]byte, error) {
	plain, err := h.key.Open(nil, nonce(h.counter), sealed, h.hash)
	h.counter++
	h.authenticate(sealed)
	return plain, err
}

// split derives the key of each direction.
func (h *handshake) split() (fromClient, toClient *transport, err error) {
	expanded := hkdfutil.SHA256(nil, h.salt, nil, 64)
	fromClient, toClient = new(transport), new(transport)
	if fromClient.key, err = gcmutil.Prepare(expanded[:32]); err != nil {
		return nil, nil, err
	}
	toClient.key, err = gcmutil.Prepare(expanded[32:])
	return fromClient, toClient, err
}

// transport encrypts or decrypts one direction after the handshake.
type transport struct {
	key     cipher.AEAD
	counter uint32
}

func (t *transport) seal(plain []byte) []byte {
	sealed := t.key.Seal(nil, nonce(t.counter), plain, nil)
	t.counter++
	return sealed
}

func (t *transport) open(sealed []byte) ([]byte, error) {
	plain, err := t.key.Open(nil, nonce(t.counter), sealed, nil)
	t.counter++
	return plain, err
}

func nonce(count uint32) []byte {
	iv := make([]byte, 12)
	binary.BigEndian.PutUint32(iv[8:], count)
	return iv
}

// hello is the result of a handshake: the client's keys and its payload.
type hello struct {
	noise      [32]byte // the client's static key, which proves its identity
	payload    *waWa6.ClientPayload
	fromClient *transport
	toClient   *transport
}

// shake runs the handshake over a socket of frames.
func (a *authority) shake(read func() ([]byte, error), write func([]byte) error) (*hello, error) {
	h, err := newHandshake()
	if err != nil {
		return nil, err
	}
	first, err := readHandshake(read)
	if err != nil {
		return nil, err
	}
	theirs := first.GetClientHello().GetEphemeral()
	if len(theirs) != 32 {
		return nil, errors.New("client hello without an ephemeral key")
	}
	h.authenticate(theirs)
	ours := keys.NewKeyPair()
	h.authenticate(ours.Pub[:])
	if err := h.mix(ours.Priv, theirs); err != nil {
		return nil, err
	}
	static := h.encrypt(a.static.Pub[:])
	if err := h.mix(a.static.Priv, theirs); err != nil {
		return nil, err
	}
	answer, err := proto.Marshal(&waWa6.HandshakeMessage{ServerHello: &waWa6.HandshakeMessage_ServerHello{
		Ephemeral: ours.Pub[:], Static: static, Payload: h.encrypt(*a.chain.Load()),
	}})
	if err != nil {
		return nil, err
	}
	if err := write(answer); err != nil {
		return nil, err
	}
	return finishHandshake(h, ours, read)
}

func finishHandshake(h *handshake, ours *keys.KeyPair, read func() ([]byte, error)) (*hello, error) {
	last, err := readHandshake(read)
	if err != nil {
		return nil, err
	}
	static, err := h.decrypt(last.GetClientFinish().GetStatic())
	if err != nil || len(static) != 32 {
		return nil, fmt.Errorf("the client's static key: %w", err)
	}
	if err := h.mix(ours.Priv, static); err != nil {
		return nil, err
	}
	raw, err := h.decrypt(last.GetClientFinish().GetPayload())
	if err != nil {
		return nil, fmt.Errorf("the client's payload: %w", err)
	}
	out := &hello{noise: [32]byte(static), payload: new(waWa6.ClientPayload)}
	if err := proto.Unmarshal(raw, out.payload); err != nil {
		return nil, err
	}
	out.fromClient, out.toClient, err = h.split()
	return out, err
}

func readHandshake(read func() ([]byte, error)) (*waWa6.HandshakeMessage, error) {
	raw, err := read()
	if err != nil {
		return nil, err
	}
	msg := new(waWa6.HandshakeMessage)
	return msg, proto.Unmarshal(raw, msg)
}
