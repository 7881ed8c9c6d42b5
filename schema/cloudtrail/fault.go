package cloudtrail

// Reason is the short stable code of why something could not be read. It is part of the dead-letter
// format and a metric's label: codes are added, never changed.
type Reason uint8

// The reasons.
const (
	ReasonNone          Reason = iota
	ReasonSyntax               // not JSON by RFC 8259
	ReasonTruncated            // ends in the middle
	ReasonTrailingBytes        // bytes after a whole event
	ReasonUnknownShape         // JSON, but neither an event nor an envelope that we know
	ReasonNotObject            // a value that is not an object where an event belongs
	ReasonTooNested            // more than MaxNesting layers
	ReasonTooLarge             // more bytes than allowed after decompression
	ReasonCompression          // gzip, zstd, … that does not decompress
	ReasonEncoding             // UTF-16 and other encodings that we do not read
	ReasonNormalized           // CloudTrail's columns in another form than its own
	reasonCount
)

// ReasonCount is the number of reasons, for arrays indexed by Reason.
const ReasonCount = int(reasonCount)

var reasonNames = [reasonCount]string{
	"none", "syntax", "truncated", "trailing-bytes", "unknown-shape", "not-an-object", "too-nested", "too-large",
	"compression", "encoding", "normalized",
}

// String returns the code.
func (r Reason) String() string {
	if int(r) < len(reasonNames) {
		return reasonNames[r]
	}
	return "none"
}

// Fault is a part of a record that could not be read. It becomes a dead letter.
type Fault struct {
	Reason Reason
	// Err tells where and what, for people: "decoding event: byte 132: …".
	Err error
	// Index is the place of the damaged event in its record, or -1 where the fault is not within one.
	Index int
	// Piece holds the bytes of the part that could not be read: the damaged line, the trailing bytes, the
	// whole record if there is no smaller part. It is valid until [Sink.Fault] returns.
	Piece []byte
	// Offset is where in Piece reading stopped, in bytes.
	Offset int
	// Shape is what was recognized before the fault.
	Shape Chain
}

// Kind names what is recognized and holds no events for us: it is counted and passed.
type Kind uint8

// The kinds.
const (
	KindEmpty            Kind = iota // an empty record, a tombstone, null, [], {"Records":[]}
	KindDigest                       // CloudTrail digest file
	KindInsight                      // CloudTrail Insights event
	KindControl                      // CloudWatch Logs CONTROL_MESSAGE
	KindS3Notification               // S3 object-created notification
	KindS3Test                       // s3:TestEvent
	KindLogFileNotice                // CloudTrail's own SNS notice of a new log file
	KindSNSConfirmation              // SNS subscription confirmation
	KindOtherEventBridge             // EventBridge event that is not CloudTrail's
	KindValidation                   // validation object of a delivery set-up
	KindAggregated                   // CloudTrail aggregated event
	kindCount
)

// KindCount is the number of kinds, for arrays indexed by Kind.
const KindCount = int(kindCount)

var kindNames = [kindCount]string{
	"empty", "digest", "insight", "control-message", "s3-notification", "s3-test", "log-file-notice",
	"sns-confirmation", "other-eventbridge", "validation", "aggregated",
}

// String returns the kind's name as it stands in metrics.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "unknown"
}
