package sample

// call is one row of the tables of API calls: the contents of such an event. The JSON in it may have slots (see
// template).
type call struct {
	source, name string
	weight       int    // how often it appears
	request      string // requestParameters; empty is null
	response     string // responseElements; empty is null, as for most calls that read
	resources    string // resources; empty leaves it out
	additional   string // additionalEventData; empty leaves it out
	service      string // serviceEventDetails; empty leaves it out
	failures     []failure
	callers      kind   // who calls it; 0 means callers
	eventType    string // empty means AwsApiCall
	category     string // empty means Management
	global       bool   // recorded only in us-east-1
}

// failure is an errorCode and errorMessage of a call.
type failure struct{ code, text string }

// The failures of any call.
var anyFailures = []failure{
	{"AccessDenied", "User: arn:aws:iam::${account}:user/${user} is not authorized to perform this action with an explicit deny in a service control policy"},
	{"ThrottlingException", "Rate exceeded"},
	{"Client.UnauthorizedOperation", "You are not authorized to perform this operation. Encoded authorization failure message: ${text:520}"},
}

// s3Data is the additionalEventData of every S3 call.
const s3Data = `{"SignatureVersion":"SigV4","CipherSuite":"TLS_AES_128_GCM_SHA256","bytesTransferredIn":${number:90000},"AuthenticationMethod":"AuthHeader","x-amz-id-2":"${text:76}","bytesTransferredOut":${number:9000}}`

// globalRegion is where calls of global services are recorded
// (https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-concepts.html).
const globalRegion = "us-east-1"
