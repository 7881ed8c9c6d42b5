package sample

// kind is a set of kinds of identity.
type kind uint16

const (
	assumedRole kind = 1 << iota
	iamUser
	root
	federatedUser
	samlUser
	webIdentityUser
	identityCenterUser
	awsAccount
	awsService
	awsInternal // AwsServiceEvent's identity, without a type

	people  = assumedRole | iamUser | root | federatedUser | identityCenterUser
	callers = people | awsAccount | awsService
)

// identity is a way to fill userIdentity, with the address and agent of such callers.
type identity struct {
	kind         kind
	weight       int
	userIdentity string
	// address and agent are empty for a person or a program, which has its own; a service has its name in both.
	address, agent string
}

// Each type of
// https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html, as in its
// examples.
var identities = []identity{
	{kind: assumedRole, weight: 34, userIdentity: `{"type":"AssumedRole","principalId":"AROAIDPPEZS35WEXAMPLE:${session}","arn":"arn:aws:sts::${account}:assumed-role/${role}/${session}","accountId":"${account}","accessKeyId":"ASIA${id:9}EXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROAIDPPEZS35WEXAMPLE","arn":"arn:aws:iam::${account}:role/${role}","accountId":"${account}","userName":"${role}"},"webIdFederationData":{},"attributes":{"creationDate":"${time}","mfaAuthenticated":"false"}}}`},
	{kind: assumedRole, weight: 8, userIdentity: `{"type":"AssumedRole","principalId":"AROA4EXAMPLE5ROLEEC2X:i-0123456789abcdef0","arn":"arn:aws:sts::${account}:assumed-role/${role}/i-0123456789abcdef0","accountId":"${account}","accessKeyId":"ASIA${id:9}EXAMPLE","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA4EXAMPLE5ROLEEC2X","arn":"arn:aws:iam::${account}:role/${role}","accountId":"${account}","userName":"${role}"},"webIdFederationData":{},"attributes":{"creationDate":"${time}","mfaAuthenticated":"false"},"ec2RoleDelivery":"2.0"}}`},
	{kind: iamUser, weight: 32, userIdentity: `{"type":"IAMUser","principalId":"AIDACKCEVSQ6C2EXAMPLE","arn":"arn:aws:iam::${account}:user/${user}","accountId":"${account}","accessKeyId":"AKIA${id:9}EXAMPLE","userName":"${user}"}`},
	{kind: iamUser, weight: 4, userIdentity: `{"type":"IAMUser","principalId":"AIDACKCEVSQ6C2EXAMPLE","arn":"arn:aws:iam::${account}:user/${user}","accountId":"${account}","accessKeyId":"ASIA${id:9}EXAMPLE","userName":"${user}","sessionContext":{"attributes":{"creationDate":"${time}","mfaAuthenticated":"true"}}}`},
	{kind: root, weight: 2, userIdentity: `{"type":"Root","principalId":"${account}","arn":"arn:aws:iam::${account}:root","accountId":"${account}","accessKeyId":"ASIA${id:9}EXAMPLE","sessionContext":{"attributes":{"creationDate":"${time}","mfaAuthenticated":"true"}}}`},
	{kind: federatedUser, weight: 2, userIdentity: `{"type":"FederatedUser","principalId":"${account}:${user}","arn":"arn:aws:sts::${account}:federated-user/${user}","accountId":"${account}","accessKeyId":"ASIA${id:9}EXAMPLE","sessionContext":{"sessionIssuer":{"type":"IAMUser","principalId":"AIDACKCEVSQ6C2EXAMPLE","arn":"arn:aws:iam::${account}:user/broker","accountId":"${account}","userName":"broker"},"attributes":{"creationDate":"${time}","mfaAuthenticated":"false"}}}`},
	{kind: samlUser, weight: 1, userIdentity: `{"type":"SAMLUser","principalId":"SampleSAMLProviderHash=:${user}@example.com","userName":"${user}@example.com","identityProvider":"SampleSAMLProviderHash="}`},
	{kind: webIdentityUser, weight: 1, userIdentity: `{"type":"WebIdentityUser","principalId":"arn:aws:iam::${account}:oidc-provider/oidc.example.com:sts.amazonaws.com:system:serviceaccount:default:${user}","userName":"system:serviceaccount:default:${user}","identityProvider":"arn:aws:iam::${account}:oidc-provider/oidc.example.com"}`},
	{kind: identityCenterUser, weight: 3, userIdentity: `{"type":"IdentityCenterUser","accountId":"${account}","onBehalfOf":{"userId":"544894e8-80c1-707f-60e3-3ba6510dfac1","identityStoreArn":"arn:aws:identitystore::${account}:identitystore/d-1234567890"},"credentialId":"${text:43}"}`},
	{kind: awsAccount, weight: 4, userIdentity: `{"type":"AWSAccount","principalId":"AIDAQRSTUVWXYZEXAMPLE","accountId":"123456789012"}`},
	{kind: awsService, weight: 6, userIdentity: `{"type":"AWSService","invokedBy":"autoscaling.amazonaws.com"}`, address: "autoscaling.amazonaws.com", agent: "autoscaling.amazonaws.com"},
	{kind: awsService, weight: 5, userIdentity: `{"type":"AWSService","invokedBy":"cloudformation.amazonaws.com"}`, address: "cloudformation.amazonaws.com", agent: "cloudformation.amazonaws.com"},
	{kind: awsInternal, weight: 2, userIdentity: `{"accountId":"${account}","invokedBy":"AWS Internal"}`, address: "AWS Internal", agent: "AWS Internal"},
}

// Names of the people and programs in the samples.
var (
	userNames    = []string{"alice", "bob", "carlos", "diego", "example-user", "mary.major", "ci-deploy"}
	roleNames    = []string{"example-role", "example-admin", "data-pipeline", "ci-deploy", "audit-read-only", "eks-node-group"}
	sessionNames = []string{"example-user", "alice@example.com", "botocore-session-1762000000", "GitHubActions", "aws-go-sdk-1762000000000000000"}
)

// agent is a user agent; weight is how often it appears.
type agent struct {
	weight int
	text   string
}

var agents = []agent{
	{10, "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 (+https://www.terraform.io) terraform-provider-aws/5.72.1 aws-sdk-go-v2/1.32.2 ua/2.1 os/linux lang/go#1.23.1 md/GOOS#linux md/GOARCH#amd64 api/ec2#1.182.0 m/C,E,Z"},
	{12, "aws-cli/2.18.5 md/awscrt#0.22.0 ua/2.0 os/linux#6.1.109 md/arch#x86_64 lang/python#3.12.6 cfg/retry-mode#standard md/installer#exe"},
	{16, "Boto3/1.35.40 md/Botocore#1.35.40 ua/2.0 os/linux md/arch#x86_64 lang/python#3.11.10 exec-env/AWS_Lambda_python3.11"},
	{12, "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"},
	{18, "aws-sdk-go/1.55.5 (go1.22.7; linux; amd64) amazon-ssm-agent/"},
	{4, "[S3Console/0.4, aws-internal/3 aws-sdk-java/1.12.488 Linux/5.10.184-153.731.example.x86_64 OpenJDK_64-Bit_Server_VM/25.372-b08 java/1.8.0_372 vendor/Oracle_Corporation cfg/retry-mode/standard]"},
	{6, "aws-sdk-java/2.28.21 Linux/6.1.112-122.189.amzn2023.x86_64 OpenJDK_64-Bit_Server_VM/21.0.4+7-LTS Java/21.0.4 vendor/Amazon.com_Inc. io/sync http/Apache cfg/retry-mode/legacy"},
	{16, "console.amazonaws.com"},
}
