// The state. What is worth hiding is sealed by the app before it arrives here; keys of the account do not work.
param name string
param location string
param tags object
param isPrivate bool

@allowed(['serverless', 'autoscale'])
param capacity string
param maxThroughput int
param workspaceId string

@description('A second region that takes over by itself; empty = none. Not with serverless, which has one region.')
param secondRegion string

@allowed(['Continuous7Days', 'Continuous30Days'])
param backup string

@description('Key of yours for encryption at rest, without a version; empty = Microsoft keeps the key.')
param keyUri string

@description('Identity that reads that key.')
param keyIdentityId string

var isServerless = capacity == 'serverless'
var hasSecond = !isServerless && !empty(secondRegion)
var here = [{ locationName: location, failoverPriority: 0, isZoneRedundant: false }]
var there = [{ locationName: secondRegion, failoverPriority: 1, isZoneRedundant: false }]
// As in shared/azure/cosmos/database.py. How many days a document lives; -1: for ever unless it says otherwise; 0: it cannot expire.
var containers = [
  { name: 'changes', partitionKey: '/source', days: 30 }
  { name: 'rollouts', partitionKey: '/rolloutId', days: 180 }
  { name: 'configurations', partitionKey: '/clusterId', days: 0 }
  { name: 'audit', partitionKey: '/stream', days: -1 }
  { name: 'keys', partitionKey: '/id', days: 0 }
  { name: 'pace', partitionKey: '/id', days: 1 }
  { name: 'fleet', partitionKey: '/part', days: 0 }
  { name: 'notifications', partitionKey: '/channel', days: 7 }
]

resource account 'Microsoft.DocumentDB/databaseAccounts@2024-11-15' = {
  name: 'cosmos-${name}'
  location: location
  tags: tags
  kind: 'GlobalDocumentDB'
  identity: empty(keyUri) ? { type: 'None' } : { type: 'UserAssigned', userAssignedIdentities: { '${keyIdentityId}': {} } }
  properties: {
    databaseAccountOfferType: 'Standard'
    locations: hasSecond ? concat(here, there) : here
    enableAutomaticFailover: hasSecond
    consistencyPolicy: { defaultConsistencyLevel: 'Session' }
    capabilities: isServerless ? [{ name: 'EnableServerless' }] : []
    backupPolicy: { type: 'Continuous', continuousModeProperties: { tier: backup } }
    // A restore opens the key with this identity too (learn.microsoft.com, customer-managed keys with continuous backup).
    keyVaultKeyUri: empty(keyUri) ? null : keyUri
    defaultIdentity: empty(keyUri) ? 'FirstPartyIdentity' : 'UserAssignedIdentity=${keyIdentityId}'
    disableLocalAuth: true
    disableKeyBasedMetadataWriteAccess: true
    minimalTlsVersion: 'Tls12'
    publicNetworkAccess: isPrivate ? 'Disabled' : 'Enabled'
    networkAclBypass: 'None'
  }
}

resource database 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases@2024-11-15' = {
  parent: account
  name: 'sluice'
  properties: {
    resource: { id: 'sluice' }
    options: isServerless ? {} : { autoscaleSettings: { maxThroughput: maxThroughput } }
  }
}

// Sealed text is never searched for, so it is not indexed: it would cost request units and find nothing.
var indexing = {
  indexingMode: 'consistent'
  includedPaths: [{ path: '/*' }]
  excludedPaths: [{ path: '/sealed/?' }, { path: '/"_etag"/?' }]
}

resource stores 'Microsoft.DocumentDB/databaseAccounts/sqlDatabases/containers@2024-11-15' = [
  for each in containers: {
    parent: database
    name: each.name
    properties: {
      resource: {
        id: each.name
        partitionKey: { paths: [each.partitionKey], kind: 'Hash' }
        indexingPolicy: indexing
        defaultTtl: each.days == 0 ? null : each.days < 0 ? -1 : each.days * 24 * 3600
      }
    }
  }
]

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: account
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [{ category: 'ControlPlaneRequests', enabled: true }, { category: 'PartitionKeyRUConsumption', enabled: true }]
  }
}

output id string = account.id
output name string = account.name
output endpoint string = account.properties.documentEndpoint
