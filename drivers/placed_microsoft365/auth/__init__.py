"""Sign-in to Microsoft Entra: the credential, the access token, permissions, and AADSTS errors."""
