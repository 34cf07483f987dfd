// The function app on Flex Consumption: no connection string, no key, one identity.
param name string
param location string
param tags object
param identityId string
param identityClientId string
param identityPrincipalId string
param storageName string
param cosmosEndpoint string
param keyId string
param insightsConnectionString string
param workspaceId string
param logsEndpoint string
param logsRule string
param fleetSubscriptions array
param fleetManagementGroups array
param signInClientId string
param maximumInstances int
param updateStrategy string
param subnetId string

resource storage 'Microsoft.Storage/storageAccounts@2023-05-01' existing = {
  name: storageName
}

var host = 'func-${name}'
var blobEndpoint = storage.properties.primaryEndpoints.blob

// Each setting that the app reads (shared/config/settings.py) and has no default that fits Azure, and those of the Functions host.
var settings = {
  AzureWebJobsStorage__accountName: storageName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  AZURE_CLIENT_ID: identityClientId
  AZURE_TENANT_ID: tenant().tenantId
  AZURE_AUTHORITY_HOST: environment().authentication.loginEndpoint
  AZURE_RESOURCE_MANAGER: environment().resourceManager
  AZURE_RESOURCE_MANAGER_AUDIENCE: environment().resourceManager
  KEY_VAULT_URI_FORMAT: 'https://{vault}${environment().suffixes.keyvaultDns}'
  OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID: identityClientId // of App Service's sign-in: the identity stands for a client secret
  COSMOS_ENDPOINT: cosmosEndpoint
  COSMOS_DATABASE: 'sluice'
  KEY_ENCRYPTION_KEY: keyId
  SLUICE_CONFIG: '${blobEndpoint}config/sluice.yaml'
  SLUICE_IDENTITY: identityPrincipalId // whose writes in Azure's events are the app's own
  SLUICE_MANAGEMENT_GROUPS: join(fleetManagementGroups, ',')
  SLUICE_SUBSCRIPTIONS: join(fleetSubscriptions, ',')
  REGION_NAME: location // ARM's write limit is one a region that the calls come from
  LOGS_INGESTION_ENDPOINT: logsEndpoint
  LOGS_INGESTION_RULE: logsRule
  SWEEP_ROLLOUTS_SCHEDULE: '0 * * * * *'
  SWEEP_COMPLIANCE_SCHEDULE: '*/30 * * * * *'
  SWEEP_CLUSTERS_SCHEDULE: '0 */5 * * * *'
  SWEEP_FLEET_SCHEDULE: '15 */5 * * * *'
  EXPORT_LOGS_SCHEDULE: '45 * * * * *'
}

resource plan 'Microsoft.Web/serverfarms@2024-04-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  name: host
  location: location
  tags: union(tags, { 'azd-service-name': 'app' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    // Webhook senders are on the public network: they are told from others by their signatures.
    publicNetworkAccess: 'Enabled'
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    keyVaultReferenceIdentity: identityId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${blobEndpoint}deployments'
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
      scaleAndConcurrency: {
        maximumInstanceCount: maximumInstances
        instanceMemoryMB: 2048
        // A webhook's sender waits 10 s for its answer: one warm instance keeps a cold start out of it.
        alwaysReady: [{ name: 'http', instanceCount: 1 }]
      }
      runtime: { name: 'python', version: '3.13' }
      siteUpdateStrategy: { type: updateStrategy }
    }
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2024-04-01' = {
  parent: app
  name: 'appsettings'
  properties: settings
}

// Nobody deploys with a password.
resource publishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2024-04-01' = [
  for way in ['ftp', 'scm']: {
    parent: app
    name: way
    properties: { allow: false }
  }
]

// People sign in; webhooks are let through to be verified by their signatures, and the app asks for a role at each act.
resource signIn 'Microsoft.Web/sites/config@2024-04-01' = if (!empty(signInClientId)) {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: { requireAuthentication: false, unauthenticatedClientAction: 'AllowAnonymous' }
    httpSettings: { requireHttps: true }
    login: { tokenStore: { enabled: false } }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: signInClientId
          clientSecretSettingName: 'OVERRIDE_USE_MI_FIC_ASSERTION_CLIENTID'
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: { allowedAudiences: ['api://${signInClientId}', signInClientId] }
      }
    }
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: app
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AppServiceAuthenticationLogs', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output id string = app.id
output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
