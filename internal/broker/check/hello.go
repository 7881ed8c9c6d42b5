package check

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Errors for a server that does not speak Kafka's protocol.
var (
	errSpeaksTLS = errors.New("the port speaks TLS")
	errForeign   = errors.New("the port does not speak Kafka's protocol")
)

// maxHelloBytes bounds the answer to hello, which normally has less than 1,000 bytes.
const maxHelloBytes = 64 << 10

// hello requests the supported request versions, which brokers return before authentication (KIP-35).
func hello(ctx context.Context, conn net.Conn) error {
	if deadline, ok := ctx.Deadline(); ok {
		if err := conn.SetDeadline(deadline); err != nil {
			return err
		}
	}
	request := kmsg.NewPtrApiVersionsRequest()
	_, err := conn.Write(kmsg.NewRequestFormatter(kmsg.FormatterClientID("regionwatch-check")).AppendRequest(nil, request, 1))
	if err != nil {
		return fmt.Errorf("asking for versions: %w", err)
	}
	var length [4]byte
	if _, err := io.ReadFull(conn, length[:]); err != nil {
		return fmt.Errorf("asking for versions: %w", err)
	}
	if length[0] == 0x15 && length[1] == 0x03 { // a TLS alert: RFC 8446, section 5.1
		return errSpeaksTLS
	}
	n := binary.BigEndian.Uint32(length[:])
	if n < 6 || n > maxHelloBytes {
		return errForeign
	}
	answer := make([]byte, n)
	if _, err := io.ReadFull(conn, answer); err != nil {
		return fmt.Errorf("asking for versions: %w", err)
	}
	if binary.BigEndian.Uint32(answer) != 1 { // the correlation ID
		return errForeign
	}
	return nil
}

// helloRemedy returns the remedy for a port that accepts connections but gives no valid answer.
func helloRemedy(err error) string {
	switch {
	case errors.Is(err, errSpeaksTLS):
		return "give --tls"
	case errors.Is(err, errForeign):
		return "give the brokers' port for clients"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the broker closed the connection; the port may require --tls, or belong to another service"
	}
	return "the port accepts connections but does not answer; check that it is a broker's port"
}
